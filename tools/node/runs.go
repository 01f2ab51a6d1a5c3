package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// containerRun is one run of a container.
type containerRun struct {
	machine *machine
	log     *containerLog
	cancel  context.CancelCauseFunc
	ctx     context.Context
	done    chan struct{}
	code    int
	plays   bool // its command is played; otherwise it only stands there
}

// ending is why a run is ended from outside, as an exit code.
type ending int

func (e ending) Error() string { return fmt.Sprintf("ended with %d", int(e)) }

const (
	terminated ending = 143
	killed     ending = 137
)

var errStopping = errors.New("the Pod is ending")

func (w *worker) create(ctx context.Context, c *container) (*containerRun, error) {
	pod := w.current()
	env, err := w.environmentOf(ctx, pod, c.spec)
	if err != nil {
		return nil, err
	}
	made, release, err := w.machineOf(ctx, pod, c.spec, env)
	if err != nil {
		return nil, err
	}
	log, err := w.newLog(c)
	if err != nil {
		release()
		return nil, err
	}
	runCtx, cancel := context.WithCancelCause(w.kubelet.ctx)
	current := &containerRun{machine: made, log: log, cancel: cancel, ctx: runCtx, done: make(chan struct{})}
	made.killed = func(signal int) { cancel(ending(128 + signal)) }
	play := w.playOf(pod, c.spec, made, env)
	current.plays = play != nil
	w.mu.Lock()
	if w.stopping {
		w.mu.Unlock()
		cancel(killed)
		log.End()
		release()
		return nil, errStopping
	}
	c.run, c.started, c.ready = current, c.spec.StartupProbe == nil, false
	c.state = v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: metav1.Now()}}
	c.ready = c.started && c.spec.ReadinessProbe == nil
	w.mu.Unlock()
	w.event(v1.EventTypeNormal, "Started", "Container started")
	go w.carryOut(c, current, play, release)
	w.probe(c, current)
	w.changed()
	return current, nil
}

// newLog opens the log of this run; of the runs before, the last one's is kept for `kubectl logs --previous`.
func (w *worker) newLog(c *container) (*containerLog, error) {
	w.mu.Lock()
	number := c.restarts
	w.mu.Unlock()
	dir, err := w.logs(c.spec.Name)
	if err != nil {
		return nil, err
	}
	for _, old := range []string{"", ".old"} {
		_ = dir.Remove(logName(number-2) + old)
	}
	return newLog(dir, logName(number))
}

func logName(number int32) string { return fmt.Sprintf("%d.log", number) }

func (w *worker) logs(name string) (*os.Root, error) {
	dir := w.dir("logs/" + name)
	if err := w.kubelet.folder.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return w.kubelet.folder.OpenRoot(dir)
}

// carryOut runs what the container plays, and closes the run.
func (w *worker) carryOut(c *container, current *containerRun, play func(context.Context, streams) int, release func()) {
	stdout, stderr := current.log.Stream("stdout"), current.log.Stream("stderr")
	code := make(chan int, 1)
	go func() {
		defer func() {
			if broken := recover(); broken != nil {
				logf("container %s broke: %v\n%s", c.spec.Name, broken, debug.Stack())
				code <- 2
			}
		}()
		if play == nil {
			<-current.ctx.Done()
			code <- 0
			return
		}
		if c.spec.Lifecycle != nil && c.spec.Lifecycle.PostStart != nil {
			go w.hook(current, c.spec.Lifecycle.PostStart, "FailedPostStartHook", time.Minute)
		}
		code <- play(current.ctx, streams{nil, stdout, stderr})
	}()
	var outside ending
	select {
	case current.code = <-code:
	case <-current.ctx.Done():
		// Its processes see the same. Whether they end or not, the container has.
		select {
		case <-code:
		case <-time.After(lastWait):
			logf("a process of container %s did not end", c.spec.Name)
		}
	}
	if errors.As(context.Cause(current.ctx), &outside) {
		current.code = int(outside)
	}
	current.cancel(ending(current.code)) // what it left in the background
	current.log.End(stdout, stderr)
	_ = current.log.dir.Close()
	release()
	w.mu.Lock()
	reason := "Completed"
	if current.code != 0 {
		reason = "Error"
	}
	if current.machine.tooMuch.Load() {
		reason = "OOMKilled"
	}
	ended := &v1.ContainerStateTerminated{ExitCode: int32(current.code), Reason: reason, FinishedAt: metav1.Now(), ContainerID: w.containerID(c)}
	if c.state.Running != nil {
		ended.StartedAt = c.state.Running.StartedAt
	}
	c.state, c.ready, c.started = v1.ContainerState{Terminated: ended}, false, false
	w.mu.Unlock()
	close(current.done)
}

func (w *worker) containerID(c *container) string {
	return fmt.Sprintf("lab://%s/%s/%d", w.uid, c.spec.Name, c.restarts)
}

// stop ends a run: its preStop first, then its processes, all within the grace.
func (w *worker) stop(c *container, current *containerRun, grace time.Duration) {
	deadline := time.Now().Add(grace)
	if c.spec.Lifecycle != nil && c.spec.Lifecycle.PreStop != nil && grace > 0 {
		w.hook(current, c.spec.Lifecycle.PreStop, "FailedPreStopHook", grace)
	}
	cause := terminated
	if grace <= 0 || time.Now().After(deadline) {
		cause = killed
	}
	current.cancel(cause)
	<-current.done
}

// hook runs what a container asks for after its start or before its end.
func (w *worker) hook(current *containerRun, what *v1.LifecycleHandler, failure string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(current.ctx, limit)
	defer cancel()
	switch {
	case what.Exec != nil:
		if code := current.machine.Run(ctx, what.Exec.Command, streams{nil, io.Discard, io.Discard}); code != 0 && current.ctx.Err() == nil {
			w.event(v1.EventTypeWarning, failure, "the command ended with %d", code)
		}
	case what.Sleep != nil:
		select {
		case <-time.After(time.Duration(what.Sleep.Seconds) * time.Second):
		case <-ctx.Done():
		}
	default:
		w.event(v1.EventTypeWarning, failure, "a hook is played on `local` if it is an exec or a sleep")
	}
}
