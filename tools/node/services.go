package main

import (
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// behind returns the addresses of the Pods that are ready behind a Service's port. Nobody else routes here.
func (k *kubelet) behind(ip string, port int) (found []string) {
	services, err := k.services.List(labels.Everything())
	if err != nil {
		return nil
	}
	for _, service := range services {
		if service.Spec.ClusterIP != ip {
			continue
		}
		for _, each := range service.Spec.Ports {
			if int(each.Port) == port {
				found = append(found, k.endpoints(service, each.Name)...)
			}
		}
	}
	return found
}

func (k *kubelet) endpoints(service *v1.Service, portName string) (found []string) {
	of := labels.SelectorFromSet(labels.Set{discovery.LabelServiceName: service.Name})
	slices, err := k.slices.EndpointSlices(service.Namespace).List(of)
	if err != nil {
		return nil
	}
	for _, slice := range slices {
		for _, port := range slice.Ports {
			if port.Port == nil || port.Name == nil || *port.Name != portName {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					for _, each := range endpoint.Addresses {
						found = append(found, address(each, int(*port.Port)))
					}
				}
			}
		}
	}
	return found
}

// attached tells whether a volume is attached to a node, as the attach-detach controller and the CSI driver say.
func (k *kubelet) attached(volume, node string) bool {
	all, err := k.attachments.List(labels.Everything())
	if err != nil {
		return false
	}
	for _, each := range all {
		if isOf(each, volume, node) && each.Status.Attached && each.DeletionTimestamp == nil {
			return true
		}
	}
	return false
}

func isOf(each *storage.VolumeAttachment, volume, node string) bool {
	name := each.Spec.Source.PersistentVolumeName
	return each.Spec.NodeName == node && name != nil && *name == volume
}
