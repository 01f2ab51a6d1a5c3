package main

import (
	"context"
	"fmt"
	"path"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// written is a read-only volume of files that the API server knows.
func (w *worker) written(own string, files map[string][]byte) (volume, error) {
	if err := w.kubelet.folder.RemoveAll(own); err != nil {
		return volume{}, err
	}
	made, err := newFolder(w.kubelet.folder, own, ownLimit, nil)
	if err != nil {
		return volume{}, err
	}
	for name, content := range files {
		name = strings.TrimPrefix(path.Clean("/"+name), "/")
		if err = made.root.MkdirAll(named(path.Dir(name)), 0o755); err == nil {
			err = made.root.WriteFile(name, content, 0o644)
		}
		if err != nil {
			_ = made.Close()
			return volume{}, err
		}
	}
	return volume{fs: made, readOnly: true, source: "tmpfs", kind: "tmpfs"}, nil
}

// projected collects the files of a configMap, secret, downwardAPI or projected volume.
func (w *worker) projected(ctx context.Context, pod *v1.Pod, from v1.Volume) (map[string][]byte, error) {
	files := map[string][]byte{}
	switch {
	case from.ConfigMap != nil:
		return files, w.fromConfigMap(ctx, pod, from.ConfigMap.Name, from.ConfigMap.Items, from.ConfigMap.Optional, files)
	case from.Secret != nil:
		return files, w.fromSecret(ctx, pod, from.Secret.SecretName, from.Secret.Items, from.Secret.Optional, files)
	case from.DownwardAPI != nil:
		return files, fromDownward(pod, from.DownwardAPI.Items, files)
	}
	for _, each := range from.Projected.Sources {
		var err error
		switch {
		case each.ConfigMap != nil:
			err = w.fromConfigMap(ctx, pod, each.ConfigMap.Name, each.ConfigMap.Items, each.ConfigMap.Optional, files)
		case each.Secret != nil:
			err = w.fromSecret(ctx, pod, each.Secret.Name, each.Secret.Items, each.Secret.Optional, files)
		case each.DownwardAPI != nil:
			err = fromDownward(pod, each.DownwardAPI.Items, files)
		}
		// A token is left out: nothing in a container here can speak to the API server.
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (w *worker) fromConfigMap(ctx context.Context, pod *v1.Pod, name string, items []v1.KeyToPath, optional *bool, files map[string][]byte) error {
	found, err := w.kubelet.client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return unless(optional, err)
	}
	content := map[string][]byte{}
	for key, text := range found.Data {
		content[key] = []byte(text)
	}
	for key, bytes := range found.BinaryData {
		content[key] = bytes
	}
	return pick("configmap", name, content, items, optional, files)
}

func (w *worker) fromSecret(ctx context.Context, pod *v1.Pod, name string, items []v1.KeyToPath, optional *bool, files map[string][]byte) error {
	found, err := w.kubelet.client.CoreV1().Secrets(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return unless(optional, err)
	}
	return pick("secret", name, found.Data, items, optional, files)
}

func unless(optional *bool, err error) error {
	if optional != nil && *optional {
		return nil
	}
	return err
}

func pick(kind, name string, content map[string][]byte, items []v1.KeyToPath, optional *bool, files map[string][]byte) error {
	if len(items) == 0 {
		for key, bytes := range content {
			files[key] = bytes
		}
	}
	for _, item := range items {
		bytes, found := content[item.Key]
		if !found {
			if err := unless(optional, fmt.Errorf("%s %q has no key %q", kind, name, item.Key)); err != nil {
				return err
			}
			continue
		}
		files[item.Path] = bytes
	}
	return nil
}

func fromDownward(pod *v1.Pod, items []v1.DownwardAPIVolumeFile, files map[string][]byte) error {
	for _, item := range items {
		if item.FieldRef == nil {
			return fmt.Errorf("the file %s comes from a resourceFieldRef, which is not played on `local`; a fieldRef is", item.Path)
		}
		text, err := field(pod, item.FieldRef.FieldPath, "")
		if err != nil {
			return err
		}
		files[item.Path] = []byte(text)
	}
	return nil
}
