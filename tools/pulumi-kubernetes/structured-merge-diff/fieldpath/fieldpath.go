// Package fieldpath is v6 of structured-merge-diff under the name of v4: the provider imports v4, and the Kubernetes
// libraries that it is built with here, those of kube-apiserver, speak v6.
package fieldpath

import "sigs.k8s.io/structured-merge-diff/v6/fieldpath"

type (
	Path = fieldpath.Path
	Set  = fieldpath.Set
)

var MakePath = fieldpath.MakePath
