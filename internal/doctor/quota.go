package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// quota holds what the server's pod asks for against what the namespace has left.
func (s *Subject) quota(ctx context.Context) Finding {
	quotas, err := s.Client.CoreV1().ResourceQuotas(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return s.unknown("list resource quotas in namespace "+s.Namespace, err)
	}
	limits, err := s.Client.CoreV1().LimitRanges(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return s.unknown("list limit ranges in namespace "+s.Namespace, err)
	}
	var short, notes []string
	for i := range quotas.Items {
		lacks, left := s.against(&quotas.Items[i])
		short, notes = append(short, lacks...), append(notes, left...)
	}
	over := s.over(limits.Items)
	fix := "see: kubectl describe resourcequota,limitrange" + s.in() + "\nask whoever runs the cluster for more, or free what is used"
	switch {
	case len(short)+len(over) > 0:
		return fail(fix, "the server's pod does not fit: %s", strings.Join(append(short, over...), "; "))
	case len(quotas.Items)+len(limits.Items) == 0:
		return pass("namespace %s has no quota and no limit range", s.Namespace)
	case len(notes) == 0:
		return pass("quota and limit ranges leave room for the server's pod")
	}
	return pass("room for the server's pod: %s", strings.Join(notes, "; "))
}

// against says what of a quota the server's pod would exceed, and how many GPUs it leaves.
func (s *Subject) against(q *corev1.ResourceQuota) (short, left []string) {
	wants := s.wants()
	for name, hard := range q.Status.Hard {
		used := q.Status.Used[name]
		free := hard.DeepCopy()
		free.Sub(used)
		isGPU := strings.Contains(string(name), gpuPrefix)
		want, asked := wants[name]
		if !asked && isGPU && s.Template == nil {
			want, asked = resource.MustParse("1"), true
		}
		switch {
		case asked && free.Cmp(want) < 0:
			short = append(short, fmt.Sprintf("quota %s has %s of %s left for %s, and it asks for %s", q.Name, free.String(), hard.String(), name, want.String()))
		case isGPU:
			left = append(left, fmt.Sprintf("%s of %s left for %s", free.String(), hard.String(), name))
		}
	}
	slices.Sort(short)
	slices.Sort(left)
	return short, left
}

// wants is what one pod of the server takes of a quota, by the quota's names.
func (s *Subject) wants() corev1.ResourceList {
	wants := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1")}
	if s.Template == nil {
		return wants
	}
	for _, c := range s.Template.Spec.Containers {
		for name, quantity := range c.Resources.Requests {
			add(wants, "requests."+name, quantity)
			add(wants, name, quantity)
		}
		for name, quantity := range c.Resources.Limits {
			add(wants, "limits."+name, quantity)
		}
	}
	return wants
}

func add(list corev1.ResourceList, name corev1.ResourceName, quantity resource.Quantity) {
	sum := list[name]
	sum.Add(quantity)
	list[name] = sum
}

// over says which limit of a container or pod the server's are above.
func (s *Subject) over(ranges []corev1.LimitRange) []string {
	if s.Template == nil {
		return nil
	}
	var found []string
	wants := s.wants()
	for _, r := range ranges {
		for _, item := range r.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer && item.Type != corev1.LimitTypePod {
				continue
			}
			for name, most := range item.Max {
				if want, asked := wants["requests."+name]; asked && want.Cmp(most) > 0 {
					found = append(found, fmt.Sprintf("limit range %s allows a %s %s of %s, and it asks for %s", r.Name, strings.ToLower(string(item.Type)), most.String(), name, want.String()))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}
