package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// right is one thing that a user may be allowed to do, as kubectl auth can-i names it.
type right struct {
	verb, resource, group, sub string
	// everywhere says that it is about the whole cluster.
	everywhere bool
}

// object is what the right is about, as kubectl writes it.
func (r right) object() string {
	name := r.resource
	if r.group != "" {
		name += "." + r.group
	}
	if r.sub != "" {
		name += "/" + r.sub
	}
	return name
}

// need is what a verb of this program asks of the API server.
type need struct {
	verb string
	// must are rights without which it fails, may are those without which it tells or checks less.
	must, may []right
}

// parts are the kinds that a training run is made of.
const parts = "serviceaccounts configmaps persistentvolumeclaims roles.rbac.authorization.k8s.io rolebindings.rbac.authorization.k8s.io jobs.batch"

// needs lists what every verb calls. The kinds that install applies are those of the objects
// that the chart renders.
func (s *Subject) needs() []need {
	chart := s.chartKinds()
	look := rights("list pods deployments.apps replicasets.apps")
	install := slices.Concat(rights("get,list,create,update,delete secrets"), rights("get,create,patch,delete "+chart), look, rights("watch pods deployments.apps"))
	less := slices.Concat(rights("get pods/log"), rights("list events"), clusterWide("list nodes"))
	runs := rights("get,list configmaps", "list jobs.batch pods", "watch jobs.batch pods")
	job := rights("create,delete configmaps jobs.batch", "get jobs.batch")
	return []need{
		{"install", install, slices.Concat(less, rights("patch replicasets.apps"))},
		{"status", look, slices.Concat(rights("get,list secrets"), less, rights("create pods/portforward", "get pods/log"))},
		{"query, port-forward", rights("list,watch pods", "create pods/portforward"), rights("list deployments.apps")},
		{"uninstall", slices.Concat(rights("get,list,update,delete secrets"), rights("get,delete "+chart)), rights("list persistentvolumeclaims")},
		// Nobody may grant what he has not: the run's Role holds get and patch.
		{"train", slices.Concat(rights("create,delete "+parts, "get,patch configmaps jobs.batch"), runs), slices.Concat(less, clusterWide("list storageclasses.storage.k8s.io"))},
		{"runs, compare", runs, rights("get pods/log", "get persistentvolumeclaims")},
		{"runs stop", slices.Concat(runs, rights("patch jobs.batch")), nil},
		{"runs delete", rights("get configmaps", "list,delete "+parts), rights("list pods")},
		{"publish", slices.Concat(runs, job), rights("get pods/log")},
		{"promote", slices.Concat(install, runs, job), slices.Concat(less, rights("get persistentvolumeclaims"))},
	}
}

// rights reads "get,list pods jobs.batch pods/log".
func rights(lines ...string) []right {
	var found []right
	for _, line := range lines {
		verbs, resources, _ := strings.Cut(line, " ")
		for _, resource := range strings.Fields(resources) {
			resource, sub, _ := strings.Cut(resource, "/")
			name, group, _ := strings.Cut(resource, ".")
			for _, verb := range strings.Split(verbs, ",") {
				found = append(found, right{verb: verb, resource: name, group: group, sub: sub})
			}
		}
	}
	return found
}

func clusterWide(line string) []right {
	found := rights(line)
	for i := range found {
		found[i].everywhere = true
	}
	return found
}

// chartKinds are the resources of the objects that install applies, as in "services deployments.apps".
func (s *Subject) chartKinds() string {
	var found []string
	for _, object := range s.Objects {
		gvk := object.GroupVersionKind()
		name := strings.TrimSuffix(plural(strings.ToLower(gvk.Kind))+"."+gvk.Group, ".")
		if !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return strings.Join(found, " ")
}

// plural names a kind as its resource is named; all that the chart has are regular.
func plural(kind string) string {
	if stem, found := strings.CutSuffix(kind, "y"); found {
		return stem + "ies"
	}
	return kind + "s"
}

func (s *Subject) rights(ctx context.Context) Finding {
	needs := s.needs()
	allowed, err := s.ask(ctx, needs)
	if err != nil {
		return s.unknown("ask for your own rights", err)
	}
	var items []Item
	var able, unable []string
	var lesser []right
	for _, n := range needs {
		item := Item{Name: n.verb, Result: Pass, Detail: "you have all rights for it"}
		lacks, misses := denied(n.must, allowed), denied(n.may, allowed)
		if len(lacks) > 0 {
			item.Result, item.Detail = Fail, "you may not "+rightsText(lacks)
			unable = append(unable, n.verb)
		} else {
			able = append(able, n.verb)
			lesser = append(lesser, misses...)
			if len(misses) > 0 {
				item.Result, item.Detail = Warn, "it works, and checks or tells less: you may not "+rightsText(misses)
			}
		}
		items = append(items, item)
	}
	fix := "whoever runs the cluster gives them, edit for all but train, and admin for that: kubectl create rolebinding USER-summarizer --clusterrole admin --user USER" + s.in() +
		"\nwho you are: kubectl auth whoami" + s.Target
	switch {
	case len(able) == 0:
		return fail(fix, "your rights in namespace %s are enough for nothing that this program does", s.Namespace).with(items)
	case len(unable) > 0:
		return fail(fix, "your rights in namespace %s are not enough for %s; they are for %s", s.Namespace, strings.Join(unable, "; "), strings.Join(able, "; ")).with(items)
	case len(lesser) > 0:
		return warn("nothing depends on them; whoever runs the cluster may give you: "+rightsText(denied(lesser, allowed)),
			"your rights in namespace %s are enough for every verb; some will check or tell less", s.Namespace).with(items)
	}
	return pass("your rights in namespace %s are enough for every verb", s.Namespace).with(items)
}

// denied are the rights that are not allowed, each once.
func denied(wanted []right, allowed map[right]bool) []right {
	var found []right
	for _, r := range wanted {
		if !allowed[r] && !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	return found
}

// rightsText writes rights by resource: "get, list secrets; create jobs.batch".
func rightsText(rights []right) string {
	var on, texts []string
	verbs := map[string][]string{}
	for _, r := range rights {
		if name := r.object(); !slices.Contains(on, name) {
			on = append(on, name)
		}
		verbs[r.object()] = append(verbs[r.object()], r.verb)
	}
	for _, name := range on {
		texts = append(texts, strings.Join(verbs[name], ", ")+" "+name)
	}
	return strings.Join(texts, "; ")
}

// atOnce is how many questions are under way at a time.
const atOnce = 10

// ask asks the API server for every right once.
func (s *Subject) ask(ctx context.Context, needs []need) (map[right]bool, error) {
	var all []right
	for _, n := range needs {
		all = slices.Concat(all, n.must, n.may)
	}
	allowed := map[right]bool{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	var failed error
	turns := make(chan struct{}, atOnce)
	for i, r := range all {
		if slices.Contains(all[:i], r) {
			continue
		}
		wait.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			yes, err := s.can(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = fmt.Errorf("%s %s: %w", r.verb, r.object(), err)
			}
			allowed[r] = yes
		})
	}
	wait.Wait()
	return allowed, failed
}

func (s *Subject) can(ctx context.Context, r right) (bool, error) {
	attributes := &authorizationv1.ResourceAttributes{Verb: r.verb, Resource: r.resource, Group: r.group, Subresource: r.sub}
	if !r.everywhere {
		attributes.Namespace = s.Namespace
	}
	review, err := s.Client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
