package main

import (
	"context"
	"encoding/json"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// A controller manager that was started anew takes every attached volume for mounted until the node has reported once.
const heartbeat = 3 * time.Second

func (k *kubelet) onNode(object any) {
	node, is := object.(*v1.Node)
	if !is {
		return
	}
	k.mu.Lock()
	_, beats := k.beating[node.Name]
	if !beats {
		ctx, cancel := context.WithCancel(k.ctx)
		k.beating[node.Name] = cancel
		go k.beat(ctx, node.Name)
	}
	k.mu.Unlock()
	if beats {
		return
	}
	pods, err := k.pods.List(labels.Everything())
	for _, pod := range pods {
		if err == nil && pod.Spec.NodeName == node.Name {
			k.onPod(pod)
		}
	}
}

// onNodeGone forgets a node, and with it the folder that stood for its disk.
func (k *kubelet) onNodeGone(object any) {
	node, is := object.(*v1.Node)
	if !is {
		return
	}
	k.mu.Lock()
	cancel := k.beating[node.Name]
	delete(k.beating, node.Name)
	k.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	k.remove("hosts/" + node.Name)
}

// beat reports a node until it is gone.
func (k *kubelet) beat(ctx context.Context, name string) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for first := true; ; first = false {
		if node, err := k.nodes.Get(name); err == nil {
			if err := k.report(ctx, node, first); err != nil && ctx.Err() == nil {
				logf("node %s cannot be reported: %v", name, err)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (k *kubelet) report(ctx context.Context, node *v1.Node, whole bool) error {
	status := map[string]any{"conditions": nodeConditions(node)}
	if whole {
		status["phase"] = v1.NodeRunning
		status["addresses"] = []v1.NodeAddress{
			{Type: v1.NodeHostName, Address: node.Name}, {Type: v1.NodeInternalIP, Address: "127.0.0.1"},
		}
		status["daemonEndpoints"] = v1.NodeDaemonEndpoints{KubeletEndpoint: v1.DaemonEndpoint{Port: int32(k.port)}}
		status["nodeInfo"] = v1.NodeSystemInfo{
			OperatingSystem: "linux", Architecture: "amd64", KubeletVersion: k.version,
			ContainerRuntimeVersion: "lab-node://" + k.version,
		}
		status["capacity"] = orDefault(node.Status.Capacity)
		status["allocatable"] = orDefault(node.Status.Allocatable)
	}
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = k.client.CoreV1().Nodes().Patch(ctx, node.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}

// orDefault is a node's capacity as it was given, or that of a small machine.
func orDefault(given v1.ResourceList) v1.ResourceList {
	if len(given) > 0 {
		return given
	}
	return v1.ResourceList{
		v1.ResourceCPU: resource.MustParse("2"), v1.ResourceMemory: resource.MustParse("4Gi"), v1.ResourcePods: resource.MustParse("110"),
	}
}

func nodeConditions(node *v1.Node) []v1.NodeCondition {
	now, since := metav1.Now(), node.CreationTimestamp
	one := func(kind v1.NodeConditionType, status v1.ConditionStatus, reason, message string) v1.NodeCondition {
		return v1.NodeCondition{
			Type: kind, Status: status, Reason: reason, Message: message, LastHeartbeatTime: now, LastTransitionTime: since,
		}
	}
	return []v1.NodeCondition{
		one(v1.NodeReady, v1.ConditionTrue, "KubeletReady", "kubelet is posting ready status"),
		one(v1.NodeMemoryPressure, v1.ConditionFalse, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
		one(v1.NodeDiskPressure, v1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
		one(v1.NodePIDPressure, v1.ConditionFalse, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
		one(v1.NodeNetworkUnavailable, v1.ConditionFalse, "RouteCreated", "the Pods' network is in memory"),
	}
}
