package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// machineOf puts the file system of a container together: its own folder, empty at each start, and its mounts.
func (w *worker) machineOf(ctx context.Context, pod *v1.Pod, c *v1.Container, env map[string]string) (*machine, func(), error) {
	own := w.dir("containers/" + c.Name)
	if err := w.kubelet.folder.RemoveAll(own); err != nil {
		return nil, nil, err
	}
	rootfs, err := newFolder(w.kubelet.folder, own, ownLimit, nil)
	if err != nil {
		return nil, nil, err
	}
	opened := []fileSystem{rootfs}
	closeAll := func() {
		for _, each := range opened {
			_ = each.Close()
		}
	}
	w.mu.Lock()
	volumes := w.volumes
	w.mu.Unlock()
	list := []mount{}
	for _, wanted := range c.VolumeMounts {
		from, found := volumes[wanted.Name]
		if found && from.fs == nil {
			continue
		}
		if !found {
			closeAll()
			return nil, nil, fmt.Errorf("there is no volume %q", wanted.Name)
		}
		one, err := from.at(ctx, wanted, env)
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("volume %q: %s", wanted.Name, plain(err))
		}
		if one.fs != from.fs {
			opened = append(opened, one.fs)
		}
		list = append(list, one)
	}
	list = append(list, mount{at: "/dev", fs: devices{}, source: "devtmpfs", kind: "devtmpfs"}, mount{at: "/", fs: rootfs, source: "overlay", kind: "overlay"})
	made := &machine{mounts: newMounts(list...), hostname: hostnameOf(pod), env: env, dir: "/"}
	if err = w.furnish(rootfs, made.mounts, pod); err == nil && c.WorkingDir != "" {
		made.dir = path.Clean("/" + c.WorkingDir)
		if there := made.mounts.at(made.dir); there.fs == fileSystem(rootfs) {
			err = rootfs.root.MkdirAll(named(there.name), 0o755)
		}
	}
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	return made, closeAll, nil
}

func hostnameOf(pod *v1.Pod) string {
	if pod.Spec.Hostname != "" {
		return pod.Spec.Hostname
	}
	return pod.Name
}

// at is the volume as a container wants it: a part of it, read-only or not.
func (v volume) at(ctx context.Context, wanted v1.VolumeMount, env map[string]string) (mount, error) {
	made := mount{
		at: path.Clean("/" + wanted.MountPath), fs: v.fs, base: v.base, readOnly: v.readOnly || wanted.ReadOnly, source: v.source, kind: v.kind,
	}
	inside := wanted.SubPath
	if wanted.SubPathExpr != "" {
		inside = expanded(wanted.SubPathExpr, env)
	}
	inside = strings.TrimPrefix(path.Clean("/"+inside), "/")
	if inside == "" || v.base != "" {
		return made, nil
	}
	if own, is := v.fs.(*folder); is {
		if info, err := own.root.Stat(inside); err == nil && !info.IsDir() {
			made.base = inside
			return made, nil
		}
		part, err := own.sub(inside)
		made.fs = part
		return made, err
	}
	made.base = inside
	whole := mounts{{at: "/", fs: v.fs}}
	there, err := whole.resolve(ctx, "/"+inside, true)
	if err == nil {
		_, err = v.fs.Stat(ctx, there.name)
	}
	for i := range strings.Split(inside, "/") {
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
		part := path.Join(strings.Split(inside, "/")[:i+1]...)
		if failed := v.fs.Mkdir(ctx, part, 0o755); failed != nil && !errors.Is(failed, fs.ErrExist) {
			return made, failed
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return made, err
	}
	return made, nil
}

// furnish makes the folders that every image has, and those that something is mounted on.
func (w *worker) furnish(rootfs *folder, all mounts, pod *v1.Pod) error {
	for _, name := range []string{"etc", "root", "tmp", "var"} {
		if err := rootfs.root.Mkdir(name, 0o755); err != nil {
			return err
		}
	}
	if err := rootfs.root.WriteFile("etc/hostname", []byte(hostnameOf(pod)+"\n"), 0o644); err != nil {
		return err
	}
	for _, each := range all {
		there := all.at(path.Dir(each.at))
		parent, is := there.fs.(*folder)
		if each.at == "/" || !is || there.readOnly {
			continue
		}
		name := path.Join(there.name, path.Base(each.at))
		if each.base != "" && parent == rootfs {
			if err := errors.Join(parent.root.MkdirAll(named(there.name), 0o755), parent.root.WriteFile(name, nil, 0o644)); err != nil {
				return err
			}
		} else if err := parent.root.MkdirAll(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}
