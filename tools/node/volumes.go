package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"syscall"

	v1 "k8s.io/api/core/v1"
)

const (
	ebsDriver = "ebs.csi.aws.com"
	// What a container's own file system, an emptyDir without a limit and a node's disk may hold.
	ownLimit, hostLimit = 1 << 30, 10 << 30
)

// room is the space of a folder that several have mounted, and how many have.
type room struct {
	space *space
	users int
}

// volume is a volume of a Pod, ready to be mounted in its containers.
type volume struct {
	fs       fileSystem
	base     string // a file that is mounted alone, "" otherwise
	readOnly bool
	source   string
	kind     string
	release  func()
}

// A volume's id is a folder's name, so it must be one.
var volumeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$`)

// mountVolumes makes all volumes of the Pod ready, or none and says why, in a kubelet's words.
func (w *worker) mountVolumes(ctx context.Context, pod *v1.Pod) (err error) {
	made := map[string]volume{}
	defer func() {
		if err != nil {
			closeVolumes(made)
		}
	}()
	for _, each := range pod.Spec.Volumes {
		one, err := w.mountVolume(ctx, pod, each)
		if err != nil {
			return fmt.Errorf("MountVolume.SetUp failed for volume %q : %w", each.Name, err)
		}
		made[each.Name] = one
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.volumes = made
	return nil
}

func closeVolumes(all map[string]volume) {
	for _, each := range all {
		if each.fs != nil {
			_ = each.fs.Close()
		}
		if each.release != nil {
			each.release()
		}
	}
}

func (w *worker) mountVolume(ctx context.Context, pod *v1.Pod, from v1.Volume) (volume, error) {
	k, own := w.kubelet, w.dir("volumes/"+from.Name)
	switch {
	case from.EmptyDir != nil:
		limit := int64(ownLimit)
		if from.EmptyDir.SizeLimit != nil && !from.EmptyDir.SizeLimit.IsZero() {
			limit = from.EmptyDir.SizeLimit.Value()
		}
		made, err := newFolder(k.folder, own, limit, nil)
		return volume{fs: made, source: "emptydir", kind: "ext4"}, err
	case from.HostPath != nil:
		return w.hostPath(pod.Spec.NodeName, *from.HostPath)
	case from.PersistentVolumeClaim != nil:
		made, err := w.claimed(ctx, pod, from.PersistentVolumeClaim.ClaimName)
		made.readOnly = made.readOnly || from.PersistentVolumeClaim.ReadOnly
		return made, err
	case from.Ephemeral != nil:
		return w.claimed(ctx, pod, pod.Name+"-"+from.Name)
	case from.NFS != nil:
		return w.nfs(ctx, *from.NFS, nil)
	case from.Projected != nil && strings.HasPrefix(from.Name, "kube-api-access-"):
		// The way to the API server, which every Pod gets: nothing in a container here can speak to it.
		return volume{}, nil
	case from.ConfigMap != nil, from.Secret != nil, from.DownwardAPI != nil, from.Projected != nil:
		files, err := w.projected(ctx, pod, from)
		if err != nil {
			return volume{}, err
		}
		return w.written(own, files)
	}
	return volume{}, errors.New("a volume of this kind is not played on `local`; emptyDir, hostPath, persistentVolumeClaim, nfs, configMap, secret, downwardAPI and projected are")
}

// shared opens a folder that others may have open, with one count of what it holds.
func (k *kubelet) shared(name string, limit int64) (*folder, func(), error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := k.rooms[name]
	var known *space
	if found != nil {
		known = found.space
	}
	made, err := newFolder(k.folder, name, limit, known)
	if err != nil {
		return nil, nil, err
	}
	if found == nil {
		found = &room{space: made.room}
		k.rooms[name] = found
	}
	found.users++
	return made, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if found.users--; found.users == 0 && k.rooms[name] == found {
			delete(k.rooms, name)
		}
	}, nil
}

func capacity(volume *v1.PersistentVolume) int64 {
	size := volume.Spec.Capacity[v1.ResourceStorage]
	return size.Value()
}

func (w *worker) hostPath(node string, from v1.HostPathVolumeSource) (volume, error) {
	host, release, err := w.kubelet.shared("hosts/"+node, hostLimit)
	if err != nil {
		return volume{}, err
	}
	made := volume{source: "/dev/root", kind: "ext4", release: release}
	name := strings.TrimPrefix(path.Clean("/"+from.Path), "/")
	kind := v1.HostPathUnset
	if from.Type != nil {
		kind = *from.Type
	}
	info, err := host.root.Stat(named(name))
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !missing:
	case missing && (kind == v1.HostPathDirectory || kind == v1.HostPathFile):
		err = fmt.Errorf("hostPath type check failed: %s is not a %s", from.Path, strings.ToLower(string(kind)))
	case kind == v1.HostPathSocket || kind == v1.HostPathCharDev || kind == v1.HostPathBlockDev:
		err = fmt.Errorf("hostPath type check failed: a node of `local` has no %s", kind)
	case !missing && info.IsDir() && (kind == v1.HostPathFile || kind == v1.HostPathFileOrCreate):
		err = fmt.Errorf("hostPath type check failed: %s is not a file", from.Path)
	case !missing && !info.IsDir() && (kind == v1.HostPathDirectory || kind == v1.HostPathDirectoryOrCreate):
		err = fmt.Errorf("hostPath type check failed: %s is not a directory", from.Path)
	case !missing && !info.IsDir():
		made.fs, made.base = host, name
		return made, nil
	case kind == v1.HostPathFileOrCreate:
		if err = host.root.MkdirAll(named(path.Dir(name)), 0o755); err == nil {
			err = host.root.WriteFile(name, nil, 0o644)
		}
		if err == nil {
			made.fs, made.base = host, name
			return made, nil
		}
	default:
		var inside *folder
		if inside, err = host.sub(named(name)); err == nil {
			_ = host.Close()
			made.fs = inside
			return made, nil
		}
	}
	_ = host.Close()
	release()
	return volume{}, errors.New(plain(err))
}

func (w *worker) claimed(ctx context.Context, pod *v1.Pod, name string) (volume, error) {
	k := w.kubelet
	claim, err := k.claims.PersistentVolumeClaims(pod.Namespace).Get(name)
	if err != nil {
		return volume{}, fmt.Errorf("persistentvolumeclaim %q not found", name)
	}
	if claim.Spec.VolumeName == "" || claim.Status.Phase != v1.ClaimBound {
		return volume{}, fmt.Errorf("PVC %s/%s is not bound", pod.Namespace, name)
	}
	pv, err := k.volumes.Get(claim.Spec.VolumeName)
	if err != nil {
		return volume{}, fmt.Errorf("persistentvolume %q not found", claim.Spec.VolumeName)
	}
	switch source := pv.Spec.PersistentVolumeSource; {
	case source.NFS != nil:
		return w.nfs(ctx, *source.NFS, pv.Spec.MountOptions)
	case source.HostPath != nil:
		return w.hostPath(pod.Spec.NodeName, *source.HostPath)
	case source.Local != nil:
		return w.hostPath(pod.Spec.NodeName, v1.HostPathVolumeSource{Path: source.Local.Path})
	case source.CSI != nil && source.CSI.Driver == ebsDriver:
		id := source.CSI.VolumeHandle
		if !volumeID.MatchString(id) {
			return volume{}, fmt.Errorf("%q is not the id of an EBS volume", id)
		}
		if !k.attached(pv.Name, pod.Spec.NodeName) {
			return volume{}, fmt.Errorf("volume attachment is being waited for: %s is not attached to node %s", id, pod.Spec.NodeName)
		}
		made, release, err := k.shared("volumes/"+id, capacity(pv))
		if err != nil {
			return volume{}, err
		}
		k.grow(claim)
		return volume{fs: made, readOnly: source.CSI.ReadOnly, source: "/dev/" + id, kind: "ext4", release: release}, nil
	}
	return volume{}, fmt.Errorf("the node of `local` has no driver for PersistentVolume %s", pv.Name)
}

func (w *worker) nfs(ctx context.Context, from v1.NFSVolumeSource, options []string) (volume, error) {
	made := newShare(w.kubelet.network, from.Server, from.Path, options)
	if err := made.Mount(ctx); err != nil {
		_ = made.Close()
		if errors.Is(err, syscall.ECONNREFUSED) {
			return volume{}, fmt.Errorf("mount.nfs: no NFS server that is ready answers at %s", from.Server)
		}
		return volume{}, fmt.Errorf("mount.nfs: mounting %s:%s failed, reason given by server: %s", from.Server, from.Path, plain(err))
	}
	return volume{fs: made, readOnly: from.ReadOnly, source: from.Server + ":" + from.Path, kind: "nfs"}, nil
}
