package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
)

const busybox = "registry.k8s.io/e2e-test-images/busybox:1.36.1-1"

// cloud is a kubelet of a test, with an API server that only remembers.
type cloud struct {
	*testing.T
	client *fake.Clientset
	folder string
	k      *kubelet
	cancel context.CancelFunc
	done   chan struct{}
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{T: t, client: fake.NewSimpleClientset(), folder: t.TempDir()}
	c.start()
	t.Cleanup(c.stop)
	c.node("node-1")
	return c
}

func (c *cloud) start() {
	folder, err := os.OpenRoot(c.folder)
	if err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan struct{})
	c.k = newKubelet(ctx, c.client, folder, 10250, "v1.36.3")
	go func() {
		defer close(c.done)
		if err := c.k.Run(ctx); err != nil {
			c.Error(err)
		}
	}()
}

func (c *cloud) stop() {
	c.cancel()
	<-c.done
	c.k.broadcaster.Shutdown()
	eventually(c.T, "the containers end with the program", func() bool {
		c.k.mu.Lock()
		defer c.k.mu.Unlock()
		return len(c.k.workers) == 0
	})
}

func (c *cloud) node(name string) {
	c.Helper()
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.client.CoreV1().Nodes().Create(context.Background(), node, metav1.CreateOptions{}); err != nil {
		c.Fatal(err)
	}
}

var uids = 0

func (c *cloud) pod(name string, change func(*v1.Pod)) *v1.Pod {
	c.Helper()
	uids++
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(fmt.Sprintf("uid-%d", uids)), Labels: map[string]string{"app": name}},
		Spec: v1.PodSpec{
			NodeName: "node-1", RestartPolicy: v1.RestartPolicyAlways,
			Containers: []v1.Container{{Name: "main", Image: busybox, Command: []string{"sleep", "infinity"}}},
		},
		Status: v1.PodStatus{Phase: v1.PodPending},
	}
	change(pod)
	made, err := c.client.CoreV1().Pods("default").Create(context.Background(), pod, metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	return made
}

func (c *cloud) script(name, text string, volumes ...v1.Volume) *v1.Pod {
	return c.pod(name, func(pod *v1.Pod) {
		pod.Spec.Containers[0].Command = []string{"sh", "-c", text}
		for _, each := range volumes {
			pod.Spec.Volumes = append(pod.Spec.Volumes, each)
			pod.Spec.Containers[0].VolumeMounts = append(pod.Spec.Containers[0].VolumeMounts, v1.VolumeMount{Name: each.Name, MountPath: "/" + each.Name})
		}
	})
}

// server is the lab's NFS server on a volume.
func (c *cloud) server(name string, volume v1.Volume) {
	c.pod(name, func(pod *v1.Pod) {
		main := &pod.Spec.Containers[0]
		main.Image, main.Command = "k8s.gcr.io/volume-nfs:0.8", nil
		main.ReadinessProbe = &v1.Probe{ProbeHandler: v1.ProbeHandler{TCPSocket: &v1.TCPSocketAction{Port: intstr.FromInt32(nfsPort)}}}
		main.VolumeMounts = []v1.VolumeMount{{Name: volume.Name, MountPath: exports}}
		pod.Spec.Volumes = []v1.Volume{volume}
	})
}

func (c *cloud) get(name string) *v1.Pod {
	pod, err := c.client.CoreV1().Pods("default").Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		return &v1.Pod{}
	}
	return pod
}

func (c *cloud) until(name, what string, is func(*v1.Pod) bool) *v1.Pod {
	c.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(5 * time.Millisecond) {
		pod := c.get(name)
		if is(pod) {
			return pod
		}
		if time.Now().After(end) {
			text, _ := json.MarshalIndent(pod.Status, "", " ")
			c.Fatalf("Pod %s is not %s after %v: %s", name, what, deadline, text)
		}
	}
}

func ready(pod *v1.Pod) bool { return isTrue(pod, v1.PodReady) }

func (c *cloud) ready(name string) *v1.Pod { c.Helper(); return c.until(name, "ready", ready) }

// exec runs a script in a running container.
func (c *cloud) exec(name, script string) (string, int) {
	c.Helper()
	w := c.k.worker("default", name)
	if w == nil {
		c.Fatalf("nobody works for Pod %s", name)
	}
	w.mu.Lock()
	current := w.containers[len(w.containers)-1].run
	w.mu.Unlock()
	if current == nil {
		c.Fatalf("Pod %s does not run", name)
	}
	return sh(c.T, current.machine, script)
}

// remove deletes a Pod as the API server does: it marks it, and the kubelet deletes it.
func (c *cloud) remove(name string, grace int64) {
	c.Helper()
	pod := c.get(name)
	now := metav1.Now()
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &now, &grace
	if _, err := c.client.CoreV1().Pods("default").Update(context.Background(), pod, metav1.UpdateOptions{}); err != nil {
		c.Fatal(err)
	}
	eventually(c.T, "Pod "+name+" is gone", func() bool { return c.get(name).Name == "" })
	eventually(c.T, "its folder is gone", func() bool {
		_, err := os.Stat(filepath.Join(c.folder, "pods", string(pod.UID)))
		return os.IsNotExist(err)
	})
}

func (c *cloud) event(name, reason, text string) {
	c.Helper()
	eventually(c.T, fmt.Sprintf("event %s %q of %s", reason, text, name), func() bool {
		events, err := c.client.CoreV1().Events("default").List(context.Background(), metav1.ListOptions{})
		if err != nil {
			return false
		}
		for _, each := range events.Items {
			if each.InvolvedObject.Name == name && each.Reason == reason && strings.Contains(each.Message, text) {
				return true
			}
		}
		return false
	})
}

// claim makes a bound claim with its EBS volume, which is attached to node-1.
func (c *cloud) claim(name string, size string, attach bool) v1.Volume {
	c.Helper()
	ctx, amount := context.Background(), v1.ResourceList{v1.ResourceStorage: resource.MustParse(size)}
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + name}, Spec: v1.PersistentVolumeSpec{
		Capacity:               amount,
		PersistentVolumeSource: v1.PersistentVolumeSource{CSI: &v1.CSIPersistentVolumeSource{Driver: ebsDriver, VolumeHandle: "vol-" + name}},
	}}
	claim := &v1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec:       v1.PersistentVolumeClaimSpec{VolumeName: pv.Name}, Status: v1.PersistentVolumeClaimStatus{Phase: v1.ClaimBound, Capacity: amount},
	}
	pv.Spec.ClaimRef = &v1.ObjectReference{Namespace: "default", Name: name}
	_, err1 := c.client.CoreV1().PersistentVolumes().Create(ctx, pv, metav1.CreateOptions{})
	_, err2 := c.client.CoreV1().PersistentVolumeClaims("default").Create(ctx, claim, metav1.CreateOptions{})
	if err1 != nil || err2 != nil {
		c.Fatal(err1, err2)
	}
	if attach {
		c.attach(name, "node-1")
	}
	return v1.Volume{Name: "data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}
}

// grow leaves a claim and its volume as csi-resizer does, after EC2 has made the volume larger.
func (c *cloud) grow(name, size string) {
	c.Helper()
	ctx, amount := context.Background(), v1.ResourceList{v1.ResourceStorage: resource.MustParse(size)}
	claim, err1 := c.client.CoreV1().PersistentVolumeClaims("default").Get(ctx, name, metav1.GetOptions{})
	pv, err2 := c.client.CoreV1().PersistentVolumes().Get(ctx, "pvc-"+name, metav1.GetOptions{})
	if err1 != nil || err2 != nil {
		c.Fatal(err1, err2)
	}
	claim.Status.AllocatedResources = amount
	claim.Status.AllocatedResourceStatuses = map[v1.ResourceName]v1.ClaimResourceStatus{v1.ResourceStorage: v1.PersistentVolumeClaimNodeResizePending}
	claim.Status.Conditions = []v1.PersistentVolumeClaimCondition{{Type: v1.PersistentVolumeClaimFileSystemResizePending, Status: v1.ConditionTrue}}
	pv.Spec.Capacity = amount
	_, err1 = c.client.CoreV1().PersistentVolumeClaims("default").UpdateStatus(ctx, claim, metav1.UpdateOptions{})
	_, err2 = c.client.CoreV1().PersistentVolumes().Update(ctx, pv, metav1.UpdateOptions{})
	if err1 != nil || err2 != nil {
		c.Fatal(err1, err2)
	}
}

func (c *cloud) claimStatus(name string) *v1.PersistentVolumeClaimStatus {
	c.Helper()
	claim, err := c.client.CoreV1().PersistentVolumeClaims("default").Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		c.Fatal(err)
	}
	return &claim.Status
}

func (c *cloud) attach(name, node string) {
	c.Helper()
	pv := "pvc-" + name
	_, err := c.client.StorageV1().VolumeAttachments().Create(context.Background(), &storage.VolumeAttachment{
		ObjectMeta: metav1.ObjectMeta{Name: "csi-" + name + node},
		Spec:       storage.VolumeAttachmentSpec{NodeName: node, Source: storage.VolumeAttachmentSource{PersistentVolumeName: &pv}},
		Status:     storage.VolumeAttachmentStatus{Attached: true},
	}, metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
}

func (c *cloud) log(name string, previous bool) string {
	w := c.k.worker("default", name)
	w.mu.Lock()
	number := w.containers[0].restarts
	w.mu.Unlock()
	if previous {
		number--
	}
	dir, err := w.logs(w.containers[0].spec.Name)
	if err != nil {
		c.Fatal(err)
	}
	defer dir.Close()
	var out bytes.Buffer
	_ = readLog(context.Background(), dir, logName(number), nil, logQuery{tail: -1, limit: -1}, &out)
	return out.String()
}

func emptyDir() v1.Volume {
	return v1.Volume{Name: "data", VolumeSource: v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{}}}
}

func hostPath() v1.Volume {
	return v1.Volume{Name: "data", VolumeSource: v1.VolumeSource{HostPath: &v1.HostPathVolumeSource{Path: "/var/lib/tour"}}}
}

func TestNodesAreReadyAndKeepTheirCapacity(t *testing.T) {
	c := newCloud(t)
	eventually(t, "the node is ready", func() bool {
		node, err := c.client.CoreV1().Nodes().Get(context.Background(), "node-1", metav1.GetOptions{})
		return err == nil && len(node.Status.Conditions) == 5 && node.Status.DaemonEndpoints.KubeletEndpoint.Port == 10250 &&
			node.Status.Addresses[1].Address == "127.0.0.1" && node.Status.Capacity.Pods().Value() == 110
	})
}

func TestAPodRunsIsWrittenToAndGoes(t *testing.T) {
	c := newCloud(t)
	c.script("shell", "echo hello; sleep infinity")
	pod := c.ready("shell")
	if pod.Status.Phase != v1.PodRunning || pod.Status.PodIP == "" || pod.Status.ContainerStatuses[0].State.Running == nil {
		t.Errorf("a Pod that runs has %+v", pod.Status)
	}
	eventually(t, "its log is there", func() bool { return c.log("shell", false) == "hello\n" })
	if said, _ := c.exec("shell", "hostname; echo $HOSTNAME"); said != "shell\nshell\n" {
		t.Errorf("it calls itself %q", said)
	}
	c.remove("shell", 30)
}

func TestWhatAContainerKeepsOverACrashAndAPodOverItsEnd(t *testing.T) {
	for _, each := range []struct {
		what           string
		volume         func(*cloud) []v1.Volume
		crash, another bool // whether a file outlives the crash of the container, the deletion of the Pod
	}{
		{"no volume", func(*cloud) []v1.Volume { return nil }, false, false},
		{"emptyDir", func(*cloud) []v1.Volume { return []v1.Volume{emptyDir()} }, true, false},
		{"hostPath", func(*cloud) []v1.Volume { return []v1.Volume{hostPath()} }, true, true},
		{"claim", func(c *cloud) []v1.Volume { return []v1.Volume{c.claim("claim", "1Gi", true)} }, true, true},
	} {
		t.Run(each.what, func(t *testing.T) {
			c := newCloud(t)
			volumes := each.volume(c)
			script := "mkdir -p /data; cat /data/f; until [ -e /tmp/crash ]; do sleep 0.01; done; exit 3"
			c.script("one", script, volumes...)
			c.ready("one")
			c.exec("one", "echo kept > /data/f; touch /tmp/crash")
			pod := c.until("one", "started anew", func(pod *v1.Pod) bool {
				return ready(pod) && pod.Status.ContainerStatuses[0].RestartCount == 1
			})
			if ended := pod.Status.ContainerStatuses[0].LastTerminationState.Terminated; ended == nil || ended.ExitCode != 3 {
				t.Errorf("the crash left %+v", ended)
			}
			if said, _ := c.exec("one", "[ -e /data/f ] && echo kept"); (said == "kept\n") != each.crash {
				t.Errorf("after a crash: %q", said)
			}
			c.exec("one", "echo kept > /data/f")
			c.remove("one", 1)
			c.script("two", script, volumes...)
			c.ready("two")
			if said, _ := c.exec("two", "[ -e /data/f ] && echo kept"); (said == "kept\n") != each.another {
				t.Errorf("after a deletion: %q", said)
			}
		})
	}
}

func TestHostPathIsOfOneNode(t *testing.T) {
	c := newCloud(t)
	c.node("node-2")
	c.script("one", "echo here > /data/f; sleep infinity", hostPath())
	c.ready("one")
	eventually(t, "the file is there", func() bool { said, _ := c.exec("one", "cat /data/f"); return said == "here\n" })
	c.pod("two", func(pod *v1.Pod) {
		pod.Spec.NodeName = "node-2"
		pod.Spec.Volumes = []v1.Volume{hostPath()}
		pod.Spec.Containers[0].VolumeMounts = []v1.VolumeMount{{Name: "data", MountPath: "/data"}}
	})
	c.ready("two")
	if said, _ := c.exec("two", "ls /data"); said != "" {
		t.Errorf("another node has %q", said)
	}
	if err := c.client.CoreV1().Nodes().Delete(context.Background(), "node-2", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the disk goes with its node", func() bool {
		_, err := os.Stat(filepath.Join(c.folder, "hosts", "node-2"))
		return os.IsNotExist(err)
	})
}

func TestAPodWaitsForItsVolumeAndSaysSo(t *testing.T) {
	c := newCloud(t)
	volume := c.claim("late", "1Gi", false)
	c.script("waits", "sleep infinity", volume)
	c.event("waits", "FailedMount", "vol-late is not attached to node node-1")
	pod := c.get("waits")
	if ready(pod) {
		t.Error("it is ready without its volume")
	}
	c.attach("late", "node-1")
	c.ready("waits")
	if _, err := os.Stat(filepath.Join(c.folder, "volumes", "vol-late")); err != nil {
		t.Error(err)
	}
}

func TestAVolumeHoldsWhatItsSizeSaysAndGrows(t *testing.T) {
	c := newCloud(t)
	c.script("full", "sleep infinity", c.claim("small", "1Mi", true))
	c.ready("full")
	if said, _ := c.exec("full", "dd if=/dev/zero of=/data/f bs=1M count=2 2>&1"); !strings.Contains(said, "No space left on device") {
		t.Errorf("2 MiB into 1 MiB: %q", said)
	}
	c.grow("small", "4Mi")
	eventually(t, "the claim has its size, and no mark of the growth", func() bool {
		status := c.claimStatus("small")
		return status.Capacity.Storage().String() == "4Mi" && len(status.AllocatedResourceStatuses)+len(status.Conditions) == 0
	})
	if said, code := c.exec("full", "dd if=/dev/zero of=/data/f bs=1M count=2 2>&1"); code != 0 {
		t.Errorf("the claim says a size that the volume does not have: %q", said)
	}
	eventually(t, "Pod and claim say that the file system has grown", func() bool {
		events, _ := c.client.CoreV1().Events("default").List(context.Background(), metav1.ListOptions{})
		of := map[string]bool{}
		for _, event := range events.Items {
			if event.Reason == "FileSystemResizeSuccessful" {
				of[event.InvolvedObject.Kind+" "+event.InvolvedObject.Name] = true
			}
		}
		return of["Pod full"] && of["PersistentVolumeClaim small"]
	})
}

func TestAGrowthWithoutAPodWaitsForOne(t *testing.T) {
	c := newCloud(t)
	volume := c.claim("alone", "1Mi", true)
	c.grow("alone", "4Mi")
	c.script("other", "sleep infinity", c.claim("other", "1Mi", true))
	c.ready("other")
	if had := c.claimStatus("alone").Capacity.Storage().String(); had != "1Mi" {
		t.Errorf("the claim says %s, but no file system has grown", had)
	}
	c.script("first", "sleep infinity", volume)
	eventually(t, "the claim has its size once a Pod has it", func() bool {
		return c.claimStatus("alone").Capacity.Storage().String() == "4Mi"
	})
}

func TestAVolumeHandleThatLeadsElsewhereIsRefused(t *testing.T) {
	c := newCloud(t)
	volume := c.claim("../../etc", "1Gi", true)
	c.script("climbs", "sleep infinity", volume)
	c.event("climbs", "FailedMount", "is not the id of an EBS volume")
}

func TestHostPathAndSubPathStayInTheirFolders(t *testing.T) {
	c := newCloud(t)
	c.script("plants", "ln -s / /data/root; ln -s ../../../../.. /data/up; sleep infinity", hostPath())
	c.ready("plants")
	eventually(t, "the links are there", func() bool { _, code := c.exec("plants", "[ -L /data/up ]"); return code == 0 })
	for i, path := range []string{"/../../../etc", "/var/lib/tour/up/etc", "/var/lib/tour/root/etc"} {
		name := fmt.Sprintf("climbs-%d", i)
		c.script(name, "sleep infinity", v1.Volume{Name: "data", VolumeSource: v1.VolumeSource{HostPath: &v1.HostPathVolumeSource{Path: path}}})
		eventually(t, path+" is refused or empty", func() bool {
			if !ready(c.get(name)) {
				events, _ := c.client.CoreV1().Events("default").List(context.Background(), metav1.ListOptions{})
				for _, each := range events.Items {
					if each.InvolvedObject.Name == name && each.Reason == "FailedMount" {
						return true
					}
				}
				return false
			}
			if said, _ := c.exec(name, "ls /data"); said != "" {
				t.Errorf("hostPath %s shows %q", path, said)
			}
			return true
		})
	}
	c.pod("sub", func(pod *v1.Pod) {
		pod.Spec.Volumes = []v1.Volume{hostPath()}
		pod.Spec.Containers[0].VolumeMounts = []v1.VolumeMount{{Name: "data", MountPath: "/data", SubPath: "up"}}
	})
	c.event("sub", "Failed", "volume \"data\"")
}

func TestConfigMapsSecretsAndFieldsAreFilesAndVariables(t *testing.T) {
	c := newCloud(t)
	ctx := context.Background()
	_, err1 := c.client.CoreV1().ConfigMaps("default").Create(ctx, &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "config"}, Data: map[string]string{"key": "value", "run.sh": "echo ran"},
	}, metav1.CreateOptions{})
	_, err2 := c.client.CoreV1().Secrets("default").Create(ctx, &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "secret"}, Data: map[string][]byte{"password": []byte("hidden")},
	}, metav1.CreateOptions{})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	c.pod("files", func(pod *v1.Pod) {
		pod.Spec.Volumes = []v1.Volume{
			{Name: "config", VolumeSource: v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: "config"}}}},
			{Name: "secret", VolumeSource: v1.VolumeSource{Secret: &v1.SecretVolumeSource{SecretName: "secret"}}},
			{Name: "pod", VolumeSource: v1.VolumeSource{DownwardAPI: &v1.DownwardAPIVolumeSource{Items: []v1.DownwardAPIVolumeFile{
				{Path: "deep/labels", FieldRef: &v1.ObjectFieldSelector{FieldPath: "metadata.labels"}},
			}}}},
		}
		main := &pod.Spec.Containers[0]
		main.VolumeMounts = []v1.VolumeMount{
			{Name: "config", MountPath: "/config"}, {Name: "secret", MountPath: "/secret"}, {Name: "pod", MountPath: "/pod"},
			{Name: "config", MountPath: "/etc/one", SubPath: "key"},
		}
		main.Env = []v1.EnvVar{
			{Name: "A", Value: "a"}, {Name: "B", Value: "$(A)b $$(A) $(NONE)"},
			{Name: "IP", ValueFrom: &v1.EnvVarSource{FieldRef: &v1.ObjectFieldSelector{FieldPath: "status.podIP"}}},
			{Name: "PW", ValueFrom: &v1.EnvVarSource{SecretKeyRef: &v1.SecretKeySelector{LocalObjectReference: v1.LocalObjectReference{Name: "secret"}, Key: "password"}}},
		}
		main.EnvFrom = []v1.EnvFromSource{{Prefix: "C_", ConfigMapRef: &v1.ConfigMapEnvSource{LocalObjectReference: v1.LocalObjectReference{Name: "config"}}}}
	})
	pod := c.ready("files")
	want := "value\nhidden\napp=\"files\"\nvalue\nran\nab $(A) $(NONE) " + pod.Status.PodIP + " hidden value\n"
	script := "for f in /config/key /secret/password /pod/deep/labels /etc/one; do cat $f; [ $f = /config/key ] || [ $f = /etc/one ] || [ $f = /secret/password ] || true; echo; done | grep .; sh /config/run.sh; echo $B $IP $PW $C_key"
	if said, _ := c.exec("files", script); said != want {
		t.Errorf("got  %q\nwant %q", said, want)
	}
	if said, code := c.exec("files", "echo x > /config/key"); code == 0 {
		t.Errorf("a configMap was written to: %q", said)
	}
	c.pod("missing", func(pod *v1.Pod) {
		pod.Spec.Containers[0].EnvFrom = []v1.EnvFromSource{{ConfigMapRef: &v1.ConfigMapEnvSource{LocalObjectReference: v1.LocalObjectReference{Name: "none"}}}}
	})
	c.until("missing", "refused", func(pod *v1.Pod) bool {
		all := pod.Status.ContainerStatuses
		return len(all) == 1 && all[0].State.Waiting != nil && all[0].State.Waiting.Reason == "CreateContainerConfigError"
	})
}

func TestInitContainersRunInOrderBeforeTheOthers(t *testing.T) {
	c := newCloud(t)
	pod := c.pod("ordered", func(pod *v1.Pod) {
		mounts := []v1.VolumeMount{{Name: "data", MountPath: "/data"}}
		pod.Spec.Volumes = []v1.Volume{emptyDir()}
		for _, name := range []string{"first", "second"} {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, v1.Container{
				Name: name, Image: busybox, Command: []string{"sh", "-c", "echo " + name + " >> /data/f"}, VolumeMounts: mounts,
			})
		}
		pod.Spec.Containers[0].Command = []string{"sh", "-c", "echo main >> /data/f; sleep infinity"}
		pod.Spec.Containers[0].VolumeMounts = mounts
	})
	c.ready(pod.Name)
	eventually(t, "all have written", func() bool { said, _ := c.exec("ordered", "cat /data/f"); return said == "first\nsecond\nmain\n" })
	c.pod("failed", func(pod *v1.Pod) {
		pod.Spec.RestartPolicy = v1.RestartPolicyNever
		pod.Spec.InitContainers = []v1.Container{{Name: "fails", Image: busybox, Command: []string{"false"}}}
	})
	failed := c.until("failed", "Failed", func(pod *v1.Pod) bool { return pod.Status.Phase == v1.PodFailed })
	if isTrue(failed, v1.PodInitialized) {
		t.Error("kubectl get shows PodInitializing instead of Init:Error")
	}
	c.pod("stuck", func(pod *v1.Pod) {
		pod.Spec.InitContainers = []v1.Container{{Name: "fails", Image: busybox, Command: []string{"false"}}}
	})
	c.until("stuck", "backed off", func(pod *v1.Pod) bool {
		all := pod.Status.InitContainerStatuses
		return len(all) == 1 && all[0].State.Waiting != nil && all[0].State.Waiting.Reason == "CrashLoopBackOff" && pod.Status.Phase == v1.PodPending
	})
}

func TestJobsPodsSucceedOrFailAsTheirCommandDoes(t *testing.T) {
	c := newCloud(t)
	for code, phase := range map[string]v1.PodPhase{"0": v1.PodSucceeded, "7": v1.PodFailed} {
		c.pod("job-"+code, func(pod *v1.Pod) {
			pod.Spec.RestartPolicy = v1.RestartPolicyNever
			pod.Spec.Containers[0].Command = []string{"sh", "-c", "echo out; exit " + code}
		})
		pod := c.until("job-"+code, string(phase), func(pod *v1.Pod) bool { return pod.Status.Phase == phase })
		if ended := pod.Status.ContainerStatuses[0].State.Terminated; ended == nil || fmt.Sprint(ended.ExitCode) != code {
			t.Errorf("it ended with %+v", ended)
		}
		if said := c.log("job-"+code, false); said != "out\n" {
			t.Errorf("its log is %q", said)
		}
		c.remove("job-"+code, 0)
	}
}

func TestProbesDecideOverReadinessAndRestarts(t *testing.T) {
	c := newCloud(t)
	c.pod("probed", func(pod *v1.Pod) {
		main := &pod.Spec.Containers[0]
		main.Command = []string{"sh", "-c", "sleep infinity"}
		asks := func(script string) *v1.Probe {
			return &v1.Probe{ProbeHandler: v1.ProbeHandler{Exec: &v1.ExecAction{Command: []string{"sh", "-c", script}}}, PeriodSeconds: 1, FailureThreshold: 1, TimeoutSeconds: 30}
		}
		main.StartupProbe = asks("true")
		main.ReadinessProbe = asks("[ -e /tmp/ready ]")
		main.LivenessProbe = asks("[ ! -e /tmp/dead ]")
	})
	c.until("probed", "running", func(pod *v1.Pod) bool { return pod.Status.Phase == v1.PodRunning && !ready(pod) })
	eventually(t, "a file is made", func() bool { _, code := c.exec("probed", "touch /tmp/ready"); return code == 0 })
	c.ready("probed")
	c.exec("probed", "rm /tmp/ready")
	c.until("probed", "unready", func(pod *v1.Pod) bool { return !ready(pod) })
	c.exec("probed", "touch /tmp/dead")
	c.until("probed", "restarted", func(pod *v1.Pod) bool { return pod.Status.ContainerStatuses[0].RestartCount == 1 })
	c.event("probed", "Unhealthy", "Liveness probe failed")
}

func TestPodsAreTakenOverAfterTheProgramWasKilled(t *testing.T) {
	c := newCloud(t)
	volume := c.claim("kept", "1Gi", true)
	c.script("server", "echo run >> /data/runs; sleep infinity", volume)
	c.script("goes", "sleep infinity", emptyDir())
	c.ready("server")
	goes := c.ready("goes")
	address := c.get("server").Status.PodIP
	c.exec("server", "until grep -q run /data/runs; do sleep 0.01; done")
	c.stop()
	if err := c.client.CoreV1().Pods("default").Delete(context.Background(), "goes", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.start()
	pod := c.until("server", "taken over", func(pod *v1.Pod) bool {
		return ready(pod) && pod.Status.ContainerStatuses[0].RestartCount == 1
	})
	if pod.Status.PodIP != address {
		t.Errorf("its address changed from %s to %s", address, pod.Status.PodIP)
	}
	eventually(t, "it ran again over its data", func() bool { said, _ := c.exec("server", "cat /data/runs"); return said == "run\nrun\n" })
	eventually(t, "the folder of the Pod that went is gone", func() bool {
		_, err := os.Stat(filepath.Join(c.folder, "pods", string(goes.UID)))
		return os.IsNotExist(err)
	})
}

func TestAnImageThatIsNotPlayedRunsAndCanBeLookedInto(t *testing.T) {
	c := newCloud(t)
	c.pod("web", func(pod *v1.Pod) {
		main := &pod.Spec.Containers[0]
		main.Image, main.Command = "nginx:1.29", nil
		main.ReadinessProbe = &v1.Probe{ProbeHandler: v1.ProbeHandler{HTTPGet: &v1.HTTPGetAction{Port: intstr.FromInt32(80)}}}
	})
	c.ready("web")
	if said, _ := c.exec("web", "echo x > /tmp/f; cat /tmp/f"); said != "x\n" {
		t.Errorf("its file system gives %q", said)
	}
	c.pod("python", func(pod *v1.Pod) { pod.Spec.Containers[0].Command = []string{"python3", "app.py"} })
	c.until("python", "failing", func(pod *v1.Pod) bool {
		all := pod.Status.ContainerStatuses
		return len(all) == 1 && all[0].LastTerminationState.Terminated != nil && all[0].LastTerminationState.Terminated.ExitCode == 127
	})
}

func TestTheNFSServerIsReachedBehindItsServiceWhileItIsReady(t *testing.T) {
	c := newCloud(t)
	ctx := context.Background()
	service := &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "nfs-server", Namespace: "default"},
		Spec:       v1.ServiceSpec{ClusterIP: "10.0.0.7", Ports: []v1.ServicePort{{Name: "nfs", Port: 2049}}},
	}
	if _, err := c.client.CoreV1().Services("default").Create(ctx, service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	share := v1.Volume{Name: "share", VolumeSource: v1.VolumeSource{NFS: &v1.NFSVolumeSource{Server: "10.0.0.7", Path: "/"}}}
	c.script("client", "while :; do date >> /share/log; sleep 0.05; done", share)
	c.event("client", "FailedMount", "no NFS server that is ready answers at 10.0.0.7")
	volume := c.claim("nfs-pvc", "1Gi", true)
	c.server("server-a", volume)
	pod := c.ready("server-a")
	number, name := int32(2049), "nfs"
	slice := &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "nfs-server-x", Namespace: "default", Labels: map[string]string{discovery.LabelServiceName: "nfs-server"}},
		Ports:      []discovery.EndpointPort{{Name: &name, Port: &number}}, Endpoints: []discovery.Endpoint{{Addresses: []string{pod.Status.PodIP}}},
	}
	if _, err := c.client.DiscoveryV1().EndpointSlices("default").Create(ctx, slice, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.ready("client")
	eventually(t, "the client's lines are on the server's volume", func() bool {
		said, _ := c.exec("server-a", "wc -l < /exports/log")
		return said != "" && said != "0\n"
	})
	c.remove("server-a", 30)
	c.server("server-b", volume)
	pod = c.ready("server-b")
	slice.Endpoints[0].Addresses = []string{pod.Status.PodIP}
	if _, err := c.client.DiscoveryV1().EndpointSlices("default").Update(ctx, slice, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	before, _ := c.exec("server-b", "wc -l < /exports/log")
	eventually(t, "the client goes on with the next server", func() bool {
		said, _ := c.exec("server-b", "wc -l < /exports/log")
		return said != before
	})
	c.remove("server-b", 30)
	c.remove("client", 30) // does not wait for the dead server
}

func TestManyPodsComeAndGo(t *testing.T) {
	c := newCloud(t)
	for i := range 50 {
		c.script(fmt.Sprintf("many-%d", i), "echo $HOSTNAME > /data/name; sleep infinity", emptyDir())
	}
	for i := range 50 {
		c.ready(fmt.Sprintf("many-%d", i))
	}
	for i := range 50 {
		c.remove(fmt.Sprintf("many-%d", i), 1)
	}
	left, err := os.ReadDir(filepath.Join(c.folder, "pods"))
	if err != nil || len(left) > 0 {
		t.Errorf("there are left %v %v", left, err)
	}
}

func TestAResourceFieldRefIsRefusedInOneSentence(t *testing.T) {
	from := &v1.ResourceFieldSelector{Resource: "limits.memory"}
	variable := v1.EnvVar{Name: "LIMIT", ValueFrom: &v1.EnvVarSource{ResourceFieldRef: from}}
	_, _, err := (&worker{}).value(context.Background(), &v1.Pod{}, &v1.Container{}, variable, nil)
	if err == nil || err.Error() != "the variable LIMIT comes from somewhere that is not played on `local`" {
		t.Errorf("the variable gave %v", err)
	}
	err = fromDownward(&v1.Pod{}, []v1.DownwardAPIVolumeFile{{Path: "limit", ResourceFieldRef: from}}, map[string][]byte{})
	if err == nil || !strings.Contains(err.Error(), "the file limit comes from a resourceFieldRef") {
		t.Errorf("the file gave %v", err)
	}
}
