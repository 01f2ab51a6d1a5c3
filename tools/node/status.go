package main

import (
	"context"
	"encoding/json"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// writeStatus writes the status whenever it changed.
func (w *worker) writeStatus(ctx context.Context) {
	for {
		select {
		case <-w.dirty:
		case <-ctx.Done():
			return
		}
		for pause := 50 * time.Millisecond; ctx.Err() == nil; pause = min(pause*2, 5*time.Second) {
			if w.write(ctx) {
				break
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
}

func (w *worker) write(ctx context.Context) bool {
	pod := w.current()
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": w.uid}, "status": w.status(pod)})
	if err == nil {
		err = w.kubelet.patch(ctx, pod, body)
	}
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || ctx.Err() != nil {
		return true
	}
	logf("the status of Pod %s/%s cannot be written: %v", pod.Namespace, pod.Name, err)
	return false
}

// status is that of the Pod, as a kubelet writes it: phase and conditions follow from the containers.
func (w *worker) status(pod *v1.Pod) v1.PodStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	status := v1.PodStatus{
		Phase: w.phase(pod.Spec.RestartPolicy), StartTime: &w.started, HostIP: "127.0.0.1", HostIPs: []v1.HostIP{{IP: "127.0.0.1"}},
		PodIP: w.ip, PodIPs: []v1.PodIP{{IP: w.ip}}, QOSClass: pod.Status.QOSClass, ObservedGeneration: pod.Generation,
	}
	allReady := true
	for _, c := range w.containers {
		if c.init {
			status.InitContainerStatuses = append(status.InitContainerStatuses, w.containerStatus(c))
			allReady = allReady && (!c.sidecar() || c.ready)
			continue
		}
		status.ContainerStatuses = append(status.ContainerStatuses, w.containerStatus(c))
		allReady = allReady && c.ready
	}
	ended := status.Phase == v1.PodSucceeded || status.Phase == v1.PodFailed
	reason := "ContainersNotReady"
	if ended {
		reason = "PodCompleted"
	}
	gates := true
	for _, gate := range pod.Spec.ReadinessGates {
		gates = gates && isTrue(pod, gate.ConditionType)
	}
	status.Conditions = []v1.PodCondition{
		condition(pod, v1.PodReadyToStartContainers, w.volumes != nil, ""),
		condition(pod, v1.PodInitialized, w.ready || status.Phase == v1.PodSucceeded, "ContainersNotInitialized"),
		condition(pod, v1.ContainersReady, allReady && w.ready, reason),
		condition(pod, v1.PodReady, allReady && w.ready && gates, reason),
	}
	return status
}

// phase is Pending until all init containers are done, Running while a container may run, and then its end.
func (w *worker) phase(policy v1.RestartPolicy) v1.PodPhase {
	failed, running, begun := false, 0, false
	for _, c := range w.containers {
		begun = begun || c.state.Waiting == nil || c.last.Terminated != nil
		if c.init {
			if !c.sidecar() && c.final && c.code != 0 {
				return v1.PodFailed
			}
			continue
		}
		if !c.final {
			running++
		}
		failed = failed || c.final && c.code != 0
	}
	switch {
	case running > 0 && (!w.ready || !begun):
		return v1.PodPending
	case running > 0 || policy == v1.RestartPolicyAlways:
		return v1.PodRunning
	case failed:
		return v1.PodFailed
	}
	return v1.PodSucceeded
}

func (w *worker) containerStatus(c *container) v1.ContainerStatus {
	started := c.started
	status := v1.ContainerStatus{
		Name: c.spec.Name, Image: c.spec.Image, ImageID: c.spec.Image, State: c.state, LastTerminationState: c.last,
		Ready: c.ready || c.init && c.final && c.code == 0, RestartCount: c.restarts, Started: &started,
	}
	if c.state.Waiting == nil {
		status.ContainerID = w.containerID(c)
	}
	return status
}

func condition(pod *v1.Pod, kind v1.PodConditionType, is bool, reason string) v1.PodCondition {
	made := v1.PodCondition{Type: kind, Status: v1.ConditionFalse, Reason: reason, LastTransitionTime: metav1.Now(), ObservedGeneration: pod.Generation}
	if is {
		made.Status, made.Reason = v1.ConditionTrue, ""
	}
	for _, was := range pod.Status.Conditions {
		if was.Type == kind && was.Status == made.Status {
			made.LastTransitionTime = was.LastTransitionTime
		}
	}
	return made
}

func isTrue(pod *v1.Pod, kind v1.PodConditionType) bool {
	for _, each := range pod.Status.Conditions {
		if each.Type == kind {
			return each.Status == v1.ConditionTrue
		}
	}
	return false
}
