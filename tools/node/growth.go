package main

import (
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// grow does the node's part of a volume's growth, after EC2 and the PersistentVolume have the size: it gives the size to
// the mounted volume, and only then to the claim. A volume that no Pod has mounted waits for one, as with every kubelet.
func (k *kubelet) grow(claim *v1.PersistentVolumeClaim) {
	if !waitsForNode(claim) {
		return
	}
	volume, err := k.volumes.Get(claim.Spec.VolumeName)
	if err != nil || volume.Spec.CSI == nil {
		return
	}
	asked := claim.Status.AllocatedResources[v1.ResourceStorage]
	// This program may hear of the claim before it hears of the PersistentVolume, which calls this again.
	if capacity(volume) < asked.Value() || !k.resize(volume) {
		return
	}
	go k.markGrown(claim, volume.Spec.Capacity[v1.ResourceStorage])
}

func waitsForNode(claim *v1.PersistentVolumeClaim) bool {
	switch claim.Status.AllocatedResourceStatuses[v1.ResourceStorage] {
	case v1.PersistentVolumeClaimNodeResizePending, v1.PersistentVolumeClaimNodeResizeInProgress:
		return true
	}
	return false
}

// resize gives a mounted volume the size that its PersistentVolume has now, and tells whether it is mounted.
func (k *kubelet) resize(volume *v1.PersistentVolume) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := k.rooms["volumes/"+volume.Spec.CSI.VolumeHandle]
	if found != nil {
		found.space.resize(capacity(volume))
	}
	return found != nil
}

// markGrown writes the new size into the claim's status, and removes the marks of the growth from it. Where the claim has
// changed meanwhile it does nothing, because the change itself calls grow.
func (k *kubelet) markGrown(claim *v1.PersistentVolumeClaim, size resource.Quantity) {
	grown := claim.DeepCopy()
	grown.Status.Capacity = v1.ResourceList{v1.ResourceStorage: size}
	delete(grown.Status.AllocatedResourceStatuses, v1.ResourceStorage)
	grown.Status.Conditions = nil
	for _, each := range claim.Status.Conditions {
		if each.Type != v1.PersistentVolumeClaimResizing && each.Type != v1.PersistentVolumeClaimFileSystemResizePending {
			grown.Status.Conditions = append(grown.Status.Conditions, each)
		}
	}
	for pause := 50 * time.Millisecond; ; pause = min(pause*2, 5*time.Second) {
		_, err := k.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(k.ctx, grown, metav1.UpdateOptions{})
		if err == nil {
			k.tellGrown(claim)
			return
		}
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) || k.ctx.Err() != nil {
			return
		}
		logf("the size of claim %s/%s cannot be written: %v", claim.Namespace, claim.Name, err)
		select {
		case <-time.After(pause):
		case <-k.ctx.Done():
			return
		}
	}
}

// tellGrown records the event of a kubelet that has enlarged a file system, on each Pod that has it and on the claim.
func (k *kubelet) tellGrown(claim *v1.PersistentVolumeClaim) {
	pods, err := k.pods.Pods(claim.Namespace).List(labels.Everything())
	if err != nil {
		return
	}
	for _, pod := range pods {
		if pod.Spec.NodeName == "" || !usesClaim(pod, claim.Name) {
			continue
		}
		for _, of := range []runtime.Object{pod, claim} {
			k.recorder(pod.Spec.NodeName).Eventf(of, v1.EventTypeNormal, "FileSystemResizeSuccessful",
				"MountVolume.NodeExpandVolume succeeded for volume %q %s", claim.Spec.VolumeName, pod.Spec.NodeName)
		}
	}
}

func usesClaim(pod *v1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, func(volume v1.Volume) bool {
		return volume.PersistentVolumeClaim != nil && volume.PersistentVolumeClaim.ClaimName == name
	})
}
