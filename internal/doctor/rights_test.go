package doctor

import (
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// allow answers access reviews: yes to what may returns true for.
func allow(s *Subject, may func(right) bool) {
	client, _ := s.Client.(*fake.Clientset)
	client.PrependReactor("create", "selfsubjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		create, _ := action.(clienttesting.CreateAction)
		review, _ := create.GetObject().(*authorizationv1.SelfSubjectAccessReview)
		a := review.Spec.ResourceAttributes
		if (a.Namespace == "") != (a.Resource == "nodes" || a.Resource == "storageclasses") {
			return true, review, nil // asked for the wrong place
		}
		review.Status.Allowed = may(right{verb: a.Verb, resource: a.Resource, group: a.Group, sub: a.Subresource})
		return true, review, nil
	})
}

func TestRights(t *testing.T) {
	cluster := []string{"nodes", "storageclasses"}
	read := []string{"get", "list", "watch"}
	tests := map[string]struct {
		may      func(right) bool
		want     expect
		verb     string
		verbSays string
	}{
		"all": {func(right) bool { return true }, expect{"rights", Pass, "are enough for every verb", ""}, "train", "pass you have all rights for it"},
		"admin of the namespace": {func(r right) bool { return !slices.Contains(cluster, r.resource) },
			expect{"rights", Warn, "enough for every verb; some will check or tell less", "give you: list nodes; list storageclasses.storage.k8s.io"}, "install", "warn it works, and checks or tells less: you may not list nodes"},
		"edit": {func(r right) bool {
			return !slices.Contains(cluster, r.resource) && r.group != "rbac.authorization.k8s.io"
		}, expect{"rights", Fail, "are not enough for train; runs delete; they are for install; status; query, port-forward; uninstall", "kubectl create rolebinding USER-summarizer --clusterrole admin --user USER -n ml --context lab"},
			"train", "fail you may not create, delete roles.rbac.authorization.k8s.io; create, delete rolebindings.rbac.authorization.k8s.io"},
		"query alone": {func(r right) bool {
			return r.resource == "pods" && (r.sub == "" && slices.Contains(read, r.verb) || r.sub == "portforward")
		}, expect{"rights", Fail, "they are for query, port-forward", "kubectl auth whoami --context lab"}, "query, port-forward", "warn it works, and checks or tells less: you may not list deployments.apps"},
		"nothing": {func(right) bool { return false }, expect{"rights", Fail, "are enough for nothing that this program does", "edit for all but train"},
			"runs stop", "fail you may not get, list configmaps; list, watch, patch jobs.batch; list, watch pods"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := subject(t)
			allow(s, tt.may)
			got := s.expects(t, tt.want)
			i := slices.IndexFunc(got.Items, func(item Item) bool { return item.Name == tt.verb })
			if i < 0 || string(got.Items[i].Result)+" "+got.Items[i].Detail != tt.verbSays {
				t.Errorf("%s: %+v, want %q", tt.verb, got.Items, tt.verbSays)
			}
		})
	}
	s := subject(t)
	forbid(s, "create", "selfsubjectaccessreviews")
	s.expects(t, expect{"rights", Skipped, "you may not ask for your own rights", ""})
}

// The rights that are asked for are those of the objects that install and train make.
func TestRightsOfTheObjects(t *testing.T) {
	s := subject(t)
	install(t, s, map[string]any{"cache": map[string]any{"persistence": map[string]any{"enabled": true}}, "podDisruptionBudget": map[string]any{"enabled": true}})
	spec := train.Default()
	spec.Name, spec.Model.ID = "r", "team/model"
	objects, err := train.Objects(spec, train.Options{Namespace: "ml"})
	if err != nil {
		t.Fatal(err)
	}
	publish, err := train.PublishJob(spec, train.Options{Namespace: "ml"}, train.Publish{})
	if err != nil {
		t.Fatal(err)
	}
	for verb, made := range map[string][]*unstructured.Unstructured{"install": s.Objects, "train": objects, "publish": publish, "promote": publish} {
		i := slices.IndexFunc(s.needs(), func(n need) bool { return n.verb == verb })
		must := s.needs()[i].must
		for _, object := range made {
			gvk := object.GroupVersionKind()
			want := right{verb: "create", resource: strings.ToLower(gvk.Kind) + "s", group: gvk.Group}
			if gvk.Kind == "NetworkPolicy" {
				want.resource = "networkpolicies"
			}
			if !slices.Contains(must, want) {
				t.Errorf("%s makes a %s, and create %s is not asked for", verb, gvk.Kind, want.object())
			}
		}
	}
	// Nobody may grant what he has not.
	for _, object := range objects {
		rules, _, _ := unstructured.NestedSlice(object.Object, "rules")
		for _, rule := range rules {
			r, _ := rule.(map[string]any)
			group, _ := r["apiGroups"].([]any)
			for _, resource := range r["resources"].([]any) {
				for _, verb := range r["verbs"].([]any) {
					want := right{verb: verb.(string), resource: resource.(string), group: group[0].(string)}
					if i := slices.IndexFunc(s.needs(), func(n need) bool { return n.verb == "train" }); !slices.Contains(s.needs()[i].must, want) {
						t.Errorf("the run's Role grants %+v, and it is not asked for", want)
					}
				}
			}
		}
	}
}
