package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

// kubelet is that of all nodes of a cloud.
type kubelet struct {
	client  kubernetes.Interface
	folder  *os.Root
	network *network
	port    int
	version string
	ctx     context.Context

	pods        corelisters.PodLister
	nodes       corelisters.NodeLister
	claims      corelisters.PersistentVolumeClaimLister
	volumes     corelisters.PersistentVolumeLister
	services    corelisters.ServiceLister
	attachments storagelisters.VolumeAttachmentLister
	slices      discoverylisters.EndpointSliceLister

	broadcaster record.EventBroadcaster
	mu          sync.Mutex
	workers     map[types.UID]*worker
	beating     map[string]context.CancelFunc
	recorders   map[string]record.EventRecorder
	rooms       map[string]*room // by the folder that they are of
	addresses   map[string]bool
	lastAddress int
}

func newKubelet(ctx context.Context, client kubernetes.Interface, folder *os.Root, port int, version string) *kubelet {
	k := &kubelet{
		client: client, folder: folder, network: newNetwork(), port: port, version: version, ctx: ctx,
		broadcaster: record.NewBroadcaster(record.WithContext(ctx)),
		workers:     map[types.UID]*worker{}, beating: map[string]context.CancelFunc{},
		recorders: map[string]record.EventRecorder{}, rooms: map[string]*room{}, addresses: map[string]bool{},
	}
	k.network.behind = k.behind
	k.broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return k
}

// Run takes over what is on the nodes, and keeps to what the API server says until the context ends.
func (k *kubelet) Run(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(k.client, 0, informers.WithTransform(withoutManagers))
	core := factory.Core().V1()
	k.pods, k.nodes = core.Pods().Lister(), core.Nodes().Lister()
	k.claims, k.volumes = core.PersistentVolumeClaims().Lister(), core.PersistentVolumes().Lister()
	k.services, k.slices = core.Services().Lister(), factory.Discovery().V1().EndpointSlices().Lister()
	k.attachments = factory.Storage().V1().VolumeAttachments().Lister()
	changes := []cache.SharedIndexInformer{
		core.PersistentVolumeClaims().Informer(), core.PersistentVolumes().Informer(), core.Services().Informer(),
		factory.Discovery().V1().EndpointSlices().Informer(), factory.Storage().V1().VolumeAttachments().Informer(),
	}
	for _, each := range changes {
		if _, err := each.AddEventHandler(handlers(k.onChange, k.onChange)); err != nil {
			return err
		}
	}
	pods, nodes := core.Pods().Informer(), core.Nodes().Informer()
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("the API server did not list %v", kind)
		}
	}
	k.sweep()
	if _, err := nodes.AddEventHandler(handlers(k.onNode, k.onNodeGone)); err != nil {
		return err
	}
	if _, err := pods.AddEventHandler(handlers(k.onPod, k.onPodGone)); err != nil {
		return err
	}
	logf("watching nodes and Pods") // by this line the local cloud knows that it works
	<-ctx.Done()
	return nil
}

func handlers(changed, gone func(any)) cache.ResourceEventHandlerFuncs {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    changed,
		UpdateFunc: func(_, now any) { changed(now) },
		DeleteFunc: func(was any) {
			if unknown, is := was.(cache.DeletedFinalStateUnknown); is {
				was = unknown.Obj
			}
			gone(was)
		},
	}
}

// withoutManagers drops what nobody here reads, and what is most of a small object.
func withoutManagers(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil && len(accessor.GetManagedFields()) > 0 {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}

// onChange wakes the Pods that wait for a volume, and the mounts that wait for a server, and lets volumes grow.
func (k *kubelet) onChange(object any) {
	switch changed := object.(type) {
	case *v1.PersistentVolumeClaim:
		k.grow(changed)
	case *v1.PersistentVolume:
		if of := changed.Spec.ClaimRef; of != nil {
			if claim, err := k.claims.PersistentVolumeClaims(of.Namespace).Get(of.Name); err == nil {
				k.grow(claim)
			}
		}
	}
	k.network.wake()
}

func (k *kubelet) onPod(object any) {
	pod, is := object.(*v1.Pod)
	if !is || pod.Spec.NodeName == "" {
		return
	}
	_, unknown := k.nodes.Get(pod.Spec.NodeName)
	k.mu.Lock()
	w, found := k.workers[pod.UID]
	if !found && unknown != nil {
		k.mu.Unlock()
		return // looked at again when the node is there
	}
	if !found {
		w = newWorker(k, pod)
		k.workers[pod.UID] = w
	}
	k.mu.Unlock()
	w.update(pod)
	if !found {
		go w.work()
	}
}

func (k *kubelet) onPodGone(object any) {
	pod, is := object.(*v1.Pod)
	if !is {
		return
	}
	k.mu.Lock()
	w := k.workers[pod.UID]
	k.mu.Unlock()
	if w != nil {
		w.vanished()
	}
}

func (k *kubelet) forget(w *worker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.workers, w.uid)
	delete(k.addresses, w.ip)
}

// worker finds a Pod by name; a Pod that is being deleted makes room for its successor of the same name.
func (k *kubelet) worker(namespace, name string) *worker {
	pod, err := k.pods.Pods(namespace).Get(name)
	if err != nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.workers[pod.UID]
}

// address invents the address of a Pod. It is one of the Pods' network, which nobody else is on.
func (k *kubelet) address(had string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for had == "" || k.addresses[had] {
		k.lastAddress = k.lastAddress%65000 + 1
		had = fmt.Sprintf("10.244.%d.%d", k.lastAddress/250, k.lastAddress%250+1)
	}
	k.addresses[had] = true
	return had
}

func (k *kubelet) recorder(node string) record.EventRecorder {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.recorders[node] == nil {
		k.recorders[node] = k.broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: "kubelet", Host: node})
	}
	return k.recorders[node]
}

// sweep removes the folders of Pods and nodes that went while this program did not run.
func (k *kubelet) sweep() {
	known := map[string]bool{}
	if pods, err := k.pods.List(labels.Everything()); err == nil {
		for _, pod := range pods {
			known["pods/"+string(pod.UID)] = true
		}
	}
	if nodes, err := k.nodes.List(labels.Everything()); err == nil {
		for _, node := range nodes {
			known["hosts/"+node.Name] = true
		}
	}
	for _, kind := range []string{"pods", "hosts"} {
		opened, err := k.folder.Open(kind)
		if err != nil {
			continue
		}
		names, _ := opened.Readdirnames(-1)
		_ = opened.Close()
		for _, name := range names {
			if !known[kind+"/"+name] {
				k.remove(kind + "/" + name)
			}
		}
	}
}

func (k *kubelet) remove(name string) {
	if err := k.folder.RemoveAll(name); err != nil {
		logf("the folder %s cannot be removed: %v", name, err)
	}
}

// patch changes the status of a Pod, unless another Pod has its name by now.
func (k *kubelet) patch(ctx context.Context, pod *v1.Pod, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := k.client.CoreV1().Pods(pod.Namespace).
		Patch(ctx, pod.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}
