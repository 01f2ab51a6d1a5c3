package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	firstBackOff, lastBackOff = 10 * time.Second, 5 * time.Minute
	// A container that ran for so long starts with the first back-off again.
	goodRun = 10 * time.Minute
	// What a process that does not answer to its end gets beyond its grace.
	lastWait = 2 * time.Second
)

// container is a container of a Pod over all its runs. What changes is guarded by the worker's mutex.
type container struct {
	spec     *v1.Container
	init     bool
	restarts int32
	state    v1.ContainerState
	last     v1.ContainerState
	ready    bool
	started  bool
	final    bool // it will not run again
	code     int
	run      *containerRun
}

func (c *container) sidecar() bool {
	return c.init && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == v1.ContainerRestartPolicyAlways
}

// containersOf makes the containers of a Pod. Those that have run before, under an earlier process of this program,
// ended with it: they count one restart more.
func containersOf(pod *v1.Pod) (all []*container) {
	before := map[string]v1.ContainerStatus{}
	for _, each := range append(append([]v1.ContainerStatus{}, pod.Status.InitContainerStatuses...), pod.Status.ContainerStatuses...) {
		before[each.Name] = each
	}
	add := func(spec *v1.Container, init bool) {
		c := &container{spec: spec, init: init, state: waiting("PodInitializing", "")}
		if !init && len(pod.Spec.InitContainers) == 0 || len(all) == 0 {
			c.state = waiting("ContainerCreating", "")
		}
		if was, found := before[spec.Name]; found {
			c.adopt(was, pod.Spec.RestartPolicy)
		}
		all = append(all, c)
	}
	for i := range pod.Spec.InitContainers {
		add(&pod.Spec.InitContainers[i], true)
	}
	for i := range pod.Spec.Containers {
		add(&pod.Spec.Containers[i], false)
	}
	return all
}

func (c *container) adopt(was v1.ContainerStatus, policy v1.RestartPolicy) {
	c.restarts, c.last = was.RestartCount, was.LastTerminationState
	ended := was.State.Terminated
	if was.State.Running != nil {
		ended = &v1.ContainerStateTerminated{
			ExitCode: int32(killed), Reason: "ContainerStatusUnknown", Message: "the node was started anew",
			StartedAt: was.State.Running.StartedAt, FinishedAt: metav1.Now(), ContainerID: was.ContainerID,
		}
	}
	if ended == nil {
		if was.LastTerminationState.Terminated != nil {
			c.restarts++
		}
		return
	}
	c.last = v1.ContainerState{Terminated: ended}
	if !c.init && !c.again(policy, int(ended.ExitCode)) {
		c.state, c.final, c.code, c.last = v1.ContainerState{Terminated: ended}, true, int(ended.ExitCode), was.LastTerminationState
		return
	}
	c.restarts++
}

func (c *container) again(policy v1.RestartPolicy, code int) bool {
	switch {
	case c.sidecar():
		return true
	case c.init && policy == v1.RestartPolicyAlways:
		return code != 0
	}
	return policy == v1.RestartPolicyAlways || policy == v1.RestartPolicyOnFailure && code != 0
}

func waiting(reason, message string) v1.ContainerState {
	return v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// supervise runs a container, and again as its Pod's restart policy says, until it is not to run again.
func (w *worker) supervise(ctx context.Context, c *container) {
	w.mu.Lock()
	final, policy := c.final, w.pod.Spec.RestartPolicy
	w.mu.Unlock()
	if final {
		return
	}
	for pause := time.Duration(0); ; {
		current := w.start(ctx, c)
		if current == nil {
			return
		}
		began := time.Now()
		<-current.done
		w.mu.Lock()
		again := c.again(policy, current.code) && ctx.Err() == nil
		c.final, c.code, c.run = !again, current.code, nil
		w.mu.Unlock()
		w.changed()
		if !again {
			return
		}
		if time.Since(began) >= goodRun {
			pause = 0
		}
		if !w.backOff(ctx, c, pause) {
			return
		}
		pause = min(max(firstBackOff, pause*2), lastBackOff)
		w.mu.Lock()
		c.restarts++
		w.mu.Unlock()
	}
}

// backOff waits before a restart; the first comes at once.
func (w *worker) backOff(ctx context.Context, c *container, pause time.Duration) bool {
	w.mu.Lock()
	c.last = c.state
	if pause > 0 {
		pod := w.pod
		text := fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", pause, c.spec.Name, pod.Name, pod.Namespace, pod.UID)
		c.state = waiting("CrashLoopBackOff", text)
		defer w.event(v1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s in pod %s", c.spec.Name, pod.Name)
	}
	w.mu.Unlock()
	if pause == 0 {
		return ctx.Err() == nil
	}
	w.changed()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// start starts one run, and waits while something that it needs is not there. It returns nil when the context ends.
func (w *worker) start(ctx context.Context, c *container) *containerRun {
	said, pause := "", 100*time.Millisecond
	for {
		current, err := w.create(ctx, c)
		if err == nil {
			return current
		}
		if errors.Is(err, errStopping) {
			return nil
		}
		if text := err.Error(); text != said && ctx.Err() == nil {
			said = text
			w.mu.Lock()
			c.state = waiting("CreateContainerConfigError", text)
			w.mu.Unlock()
			w.event(v1.EventTypeWarning, "Failed", "Error: %s", text)
			w.changed()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
			pause = min(pause*2, 5*time.Second)
		}
	}
}
