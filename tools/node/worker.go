package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// worker lives with one Pod, from its binding to its end.
type worker struct {
	kubelet *kubelet
	uid     types.UID
	ip      string

	mu         sync.Mutex
	pod        *v1.Pod // as the API server last said
	containers []*container
	ready      bool // all init containers are done
	started    metav1.Time
	volumes    map[string]volume
	stopping   bool // nothing is started any longer
	running    sync.WaitGroup

	dirty    chan struct{} // the status has to be written
	deleting chan struct{} // closed when the Pod is to end
	gone     chan struct{} // closed when its object is there no longer
	once     struct{ deleting, gone sync.Once }
}

func newWorker(k *kubelet, pod *v1.Pod) *worker {
	w := &worker{
		kubelet: k, uid: pod.UID, pod: pod, started: metav1.Now(),
		dirty: make(chan struct{}, 1), deleting: make(chan struct{}), gone: make(chan struct{}),
	}
	if pod.Status.StartTime != nil {
		w.started = *pod.Status.StartTime
	}
	w.containers = containersOf(pod)
	return w
}

func (w *worker) dir(name string) string { return "pods/" + string(w.uid) + "/" + name }

func (w *worker) current() *v1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pod
}

func (w *worker) update(pod *v1.Pod) {
	w.mu.Lock()
	w.pod = pod
	w.mu.Unlock()
	if pod.DeletionTimestamp != nil {
		w.once.deleting.Do(func() { close(w.deleting) })
	}
}

func (w *worker) vanished() {
	w.once.gone.Do(func() { close(w.gone) })
	w.once.deleting.Do(func() { close(w.deleting) })
}

func (w *worker) changed() {
	select {
	case w.dirty <- struct{}{}:
	default:
	}
}

func (w *worker) event(kind, reason, format string, values ...any) {
	pod := w.current()
	w.kubelet.recorder(pod.Spec.NodeName).Eventf(pod, kind, reason, format, values...)
}

// work runs the Pod until it is deleted, and then takes everything of it away.
func (w *worker) work() {
	defer w.kubelet.forget(w)
	ctx, cancel := context.WithCancel(w.kubelet.ctx)
	defer cancel()
	defer func() {
		if broken := recover(); broken != nil {
			logf("the worker of Pod %s broke: %v\n%s", w.current().Name, broken, debug.Stack())
		}
	}()
	stop := make(chan struct{})
	go func() {
		select {
		case <-w.deleting:
			cancel()
		case <-stop:
		}
	}()
	defer close(stop)
	w.ip = w.kubelet.address(w.current().Status.PodIP)
	var writing sync.WaitGroup
	written, endWriting := context.WithCancel(w.kubelet.ctx)
	writing.Go(func() { w.writeStatus(written) })
	if phase := w.current().Status.Phase; phase != v1.PodSucceeded && phase != v1.PodFailed {
		w.live(ctx)
	}
	select {
	case <-w.deleting:
	case <-w.kubelet.ctx.Done():
		endWriting()
		w.running.Wait()
		return
	}
	w.terminate()
	w.running.Wait() // nobody is still about to make a folder
	endWriting()
	writing.Wait()
	w.finish()
}

// live mounts the volumes, runs the init containers, then the containers, until all have ended or the context has.
func (w *worker) live(ctx context.Context) {
	if !w.waitForVolumes(ctx) {
		return
	}
	if w.initialize(ctx) {
		w.mu.Lock()
		w.ready = true
		w.mu.Unlock()
		for _, c := range w.containers {
			if !c.init {
				w.running.Go(func() { w.supervise(ctx, c) })
			}
		}
		w.changed()
		w.waitForMain(ctx)
	}
	if ctx.Err() == nil {
		// The sidecars end when the others have, and the volumes are free for the next Pod.
		w.stopAll(30 * time.Second)
		w.running.Wait()
		w.changed()
		w.unmount()
	}
}

func (w *worker) waitForVolumes(ctx context.Context) bool {
	said, pause := "", 100*time.Millisecond
	for {
		changed := w.kubelet.network.Changed()
		err := w.mountVolumes(ctx, w.current())
		if err == nil || ctx.Err() != nil {
			return err == nil
		}
		if text := err.Error(); text != said {
			said = text
			w.event(v1.EventTypeWarning, "FailedMount", "%s", text)
			w.changed()
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		case <-time.After(pause):
			pause = min(pause*2, 5*time.Second)
		}
	}
}

// initialize runs the init containers one after the other. Those that restart always go on beside the others.
func (w *worker) initialize(ctx context.Context) bool {
	for _, c := range w.containers {
		if !c.init {
			continue
		}
		if c.sidecar() {
			w.running.Go(func() { w.supervise(ctx, c) })
			if !w.waitUntil(ctx, func() bool { return c.started }) {
				return false
			}
			continue
		}
		w.supervise(ctx, c)
		w.mu.Lock()
		failed := !c.final || c.code != 0
		w.mu.Unlock()
		if failed {
			return false
		}
	}
	return ctx.Err() == nil
}

// waitForMain returns when every container that is neither an init container nor a sidecar has ended for good.
func (w *worker) waitForMain(ctx context.Context) {
	w.waitUntil(ctx, func() bool {
		for _, c := range w.containers {
			if !c.init && !c.final {
				return false
			}
		}
		return true
	})
}

func (w *worker) waitUntil(ctx context.Context, done func() bool) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		w.mu.Lock()
		is := done()
		w.mu.Unlock()
		if is {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
}

// terminate ends the containers within the grace that the deletion gives them.
func (w *worker) terminate() {
	grace := 30 * time.Second
	if pod := w.current(); pod.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
	}
	select {
	case <-w.gone:
		grace = 0
	default:
	}
	w.stopAll(grace)
	w.unmount()
}

func (w *worker) unmount() {
	w.mu.Lock()
	was := w.volumes
	w.volumes = nil
	w.mu.Unlock()
	closeVolumes(was)
}

func (w *worker) stopAll(grace time.Duration) {
	var stopping sync.WaitGroup
	w.mu.Lock()
	w.stopping = true
	w.mu.Unlock()
	for _, c := range w.containers {
		w.mu.Lock()
		current := c.run
		w.mu.Unlock()
		if current != nil {
			stopping.Go(func() { w.stop(c, current, grace) })
		}
	}
	stopping.Wait()
}

// finish removes the Pod's folder and, if it still is there, its object.
func (w *worker) finish() {
	k, pod := w.kubelet, w.current()
	k.remove("pods/" + string(w.uid))
	select {
	case <-w.gone:
		return
	default:
	}
	if len(pod.Finalizers) > 0 {
		w.write(k.ctx) // a Job counts what its Pods ended with
	}
	zero := int64(0)
	for pause := 50 * time.Millisecond; k.ctx.Err() == nil; pause = min(pause*2, 5*time.Second) {
		err := k.client.CoreV1().Pods(pod.Namespace).Delete(k.ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &w.uid},
		})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		logf("Pod %s/%s cannot be deleted: %v", pod.Namespace, pod.Name, err)
		select {
		case <-time.After(pause):
		case <-w.gone:
			return
		}
	}
}

func (w *worker) find(name string) (*container, error) {
	for _, c := range w.containers {
		if c.spec.Name == name || name == "" {
			return c, nil
		}
	}
	return nil, fmt.Errorf("the Pod has no container %q", name)
}
