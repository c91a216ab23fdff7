package doctor

import (
	"context"
	"fmt"
	"strings"

	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Annotations of the default StorageClass; the second is the old one, which the API server still reads.
const (
	defaultClass    = "storageclass.kubernetes.io/is-default-class"
	defaultClassOld = "storageclass.beta.kubernetes.io/is-default-class"
)

// modes are the access modes that drivers are known to offer; a class does not say.
var modes = map[string]string{
	"pd.csi.storage.gke.io":                         "ReadWriteOnce",
	"kubernetes.io/gce-pd":                          "ReadWriteOnce",
	"filestore.csi.storage.gke.io":                  "ReadWriteMany",
	"ebs.csi.aws.com":                               "ReadWriteOnce",
	"ebs.csi.eks.amazonaws.com":                     "ReadWriteOnce",
	"efs.csi.aws.com":                               "ReadWriteMany",
	"fsx.csi.aws.com":                               "ReadWriteMany",
	"disk.csi.azure.com":                            "ReadWriteOnce",
	"file.csi.azure.com":                            "ReadWriteMany",
	"nfs.csi.k8s.io":                                "ReadWriteMany",
	"rook-ceph.rbd.csi.ceph.com":                    "ReadWriteOnce",
	"rook-ceph.cephfs.csi.ceph.com":                 "ReadWriteMany",
	"driver.longhorn.io":                            "ReadWriteOnce, ReadWriteMany",
	"rancher.io/local-path":                         "ReadWriteOnce, on one node for ever",
	"k8s.io/minikube-hostpath":                      "ReadWriteOnce, on one node for ever",
	"kubernetes.io/no-provisioner":                  "volumes are made by hand",
	"cluster.local/nfs-subdir-external-provisioner": "ReadWriteMany",
}

// zonal are drivers whose volumes are in one zone.
var zonal = map[string]bool{
	"pd.csi.storage.gke.io": true, "kubernetes.io/gce-pd": true, "ebs.csi.aws.com": true, "ebs.csi.eks.amazonaws.com": true, "disk.csi.azure.com": true,
}

func (s *Subject) storage(ctx context.Context) Finding {
	list, err := s.Client.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return s.unknown("list storage classes", err)
	}
	var items []Item
	var defaults, flags []string
	early := ""
	for i := range list.Items {
		class := &list.Items[i]
		item := describe(class)
		if isDefault(class) {
			defaults = append(defaults, class.Name)
			item.Detail = "default, " + item.Detail
			if item.Result == Warn {
				early = class.Name
			}
		}
		items = append(items, item)
		flags = append(flags, "--storage-class "+class.Name)
	}
	switch {
	case len(items) == 0:
		return warn("train on a volume that is there: --claim NAME\nor install a storage driver", "there is no StorageClass: no volume can be made, and a run of train needs one")
	case len(defaults) == 0:
		return warn("train: "+strings.Join(flags, ", or ")+"\nor choose a default: kubectl annotate storageclass NAME "+defaultClass+"=true"+s.Target,
			"there is no default StorageClass: train and a kept cache must name one").with(items)
	case early != "":
		return warn("use a class whose volumeBindingMode is WaitForFirstConsumer", "the default class %s makes a volume before it knows the pod's zone: it may lie where no GPU is", early).with(items)
	case len(defaults) > 1:
		return warn("leave the mark on one: kubectl annotate storageclass NAME "+defaultClass+"-"+s.Target,
			"several classes are the default, the newest is taken: %s", strings.Join(defaults, ", ")).with(items)
	}
	return pass("%s, default %s", strings.Replace(count(len(items), "class"), "classs", "classes", 1), defaults[0]).with(items)
}

func isDefault(class *storagev1.StorageClass) bool {
	return class.Annotations[defaultClass] == "true" || class.Annotations[defaultClassOld] == "true"
}

func describe(class *storagev1.StorageClass) Item {
	known := modes[class.Provisioner]
	if class.Provisioner == "pd.csi.storage.gke.io" && class.Parameters["type"] == "hyperdisk-ml" {
		known = "ReadWriteOnce, ReadOnlyMany"
	}
	if known == "" {
		known = "access modes not known"
	}
	binding := storagev1.VolumeBindingImmediate
	if class.VolumeBindingMode != nil {
		binding = *class.VolumeBindingMode
	}
	item := Item{Name: class.Name, Result: Pass, Detail: fmt.Sprintf("%s: %s, %s", class.Provisioner, known, binding)}
	if zonal[class.Provisioner] && binding == storagev1.VolumeBindingImmediate {
		item.Result = Warn
	}
	return item
}
