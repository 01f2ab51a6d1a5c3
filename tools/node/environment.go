package main

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// expanded puts values in the place of $(NAME); $$(NAME) is left as $(NAME), and an unknown name as it is.
func expanded(text string, env map[string]string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		if value, known := env[found[2:len(found)-1]]; known {
			return value
		}
		return found
	})
}

var reference = regexp.MustCompile(`\$\$|\$\([A-Za-z_.-][A-Za-z0-9_.-]*\)`)

// environmentOf collects the variables of a container.
func (w *worker) environmentOf(ctx context.Context, pod *v1.Pod, c *v1.Container) (map[string]string, error) {
	env := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "HOSTNAME": hostnameOf(pod),
	}
	for _, from := range c.EnvFrom {
		files := map[string][]byte{}
		var err error
		if from.ConfigMapRef != nil {
			err = w.fromConfigMap(ctx, pod, from.ConfigMapRef.Name, nil, from.ConfigMapRef.Optional, files)
		} else if from.SecretRef != nil {
			err = w.fromSecret(ctx, pod, from.SecretRef.Name, nil, from.SecretRef.Optional, files)
		}
		if err != nil {
			return nil, err
		}
		for key, value := range files {
			env[from.Prefix+key] = string(value)
		}
	}
	for _, each := range c.Env {
		value, set, err := w.value(ctx, pod, c, each, env)
		if err != nil {
			return nil, err
		}
		if set {
			env[each.Name] = value
		}
	}
	return env, nil
}

func (w *worker) value(ctx context.Context, pod *v1.Pod, c *v1.Container, each v1.EnvVar, env map[string]string) (string, bool, error) {
	from := each.ValueFrom
	if from == nil {
		return expanded(each.Value, env), true, nil
	}
	files := map[string][]byte{}
	switch {
	case from.FieldRef != nil:
		value, err := field(pod, from.FieldRef.FieldPath, w.ip)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		err := w.fromConfigMap(ctx, pod, from.ConfigMapKeyRef.Name, []v1.KeyToPath{{Key: from.ConfigMapKeyRef.Key, Path: "value"}}, from.ConfigMapKeyRef.Optional, files)
		value, set := files["value"]
		return string(value), set, err
	case from.SecretKeyRef != nil:
		err := w.fromSecret(ctx, pod, from.SecretKeyRef.Name, []v1.KeyToPath{{Key: from.SecretKeyRef.Key, Path: "value"}}, from.SecretKeyRef.Optional, files)
		value, set := files["value"]
		return string(value), set, err
	}
	return "", false, fmt.Errorf("the variable %s comes from somewhere that is not played on `local`", each.Name)
}

var keyed = regexp.MustCompile(`^metadata\.(labels|annotations)\['(.+)'\]$`)

// field is a field of the Pod, as the downward API names it.
func field(pod *v1.Pod, name, ip string) (string, error) {
	if part := keyed.FindStringSubmatch(name); part != nil {
		return map[string]map[string]string{"labels": pod.Labels, "annotations": pod.Annotations}[part[1]][part[2]], nil
	}
	switch name {
	case "metadata.name":
		return pod.Name, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.uid":
		return string(pod.UID), nil
	case "metadata.labels":
		return quotedLines(pod.Labels), nil
	case "metadata.annotations":
		return quotedLines(pod.Annotations), nil
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.podIP", "status.podIPs":
		return ip, nil
	case "status.hostIP", "status.hostIPs":
		return "127.0.0.1", nil
	}
	return "", fmt.Errorf("the field %s is not played on `local`", name)
}

func quotedLines(values map[string]string) string {
	lines := []string{}
	for _, key := range sortedKeys(values) {
		lines = append(lines, fmt.Sprintf("%s=%q", key, values[key]))
	}
	return strings.Join(lines, "\n")
}

func sortedKeys(values map[string]string) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
