package train

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// room is a cluster where a 7B run on an L4 can be made.
func room(more ...runtime.Object) []runtime.Object {
	size := corev1.ResourceList{}
	for name, amount := range map[corev1.ResourceName]string{"nvidia.com/gpu": "1", "cpu": "16", "memory": "64Gi", "ephemeral-storage": "200Gi"} {
		size[name] = resource.MustParse(amount)
	}
	return append([]runtime.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: runstest.Namespace}},
		&corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "l4", Labels: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4", "cloud.google.com/gke-gpu-driver-version": "latest"}},
			Status:     corev1.NodeStatus{Capacity: size, Allocatable: size},
		},
		&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{defaultClass: "true"}}},
	}, more...)
}

type ran struct {
	out, errOut string
	err         error
	dynamic     *runstest.Dynamic
}

// run runs a command line on these objects.
func run(t *testing.T, objects []runtime.Object, prepare func(*runstest.Client, *runstest.Dynamic), args ...string) ran {
	t.Helper()
	o := parsed(t, args...)
	o.namespace = runstest.Namespace
	client, dynamic := runstest.New(objects...), runstest.NewDynamic(objects...)
	client.PrependReactor("create", "selfsubjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview)
		review.Status.Allowed = true
		return true, review, nil
	})
	if prepare != nil {
		prepare(client, dynamic)
	}
	o.client, o.dynamic = client, dynamic
	o.f.Now = func() time.Time { return runstest.Began }
	out, errOut := o.f.Streams.Out.(*bytes.Buffer), o.f.Streams.ErrOut.(*bytes.Buffer)
	err := o.validate()
	if err == nil {
		err = o.run(t.Context())
	}
	return ran{out.String(), errOut.String(), err, dynamic}
}

const mistral = "mistralai/Mistral-7B-Instruct-v0.3"

func TestStart(t *testing.T) {
	r := run(t, room(), nil, "--model", mistral, "--model", "meta-llama/Llama-3.2-3B-Instruct", "--detach")
	if r.err != nil {
		t.Fatal(r.err)
	}
	if want := "run/samsum-20261125-1000-mistral-7b created\nrun/samsum-20261125-1000-llama-3-2-3b created\n"; r.out != want {
		t.Errorf("%q", r.out)
	}
	for _, says := range []string{
		"mistralai/Mistral-7B-Instruct-v0.3 takes about ", " of 22.0 GiB of a nvidia-l4\n", "warning: the Secret hf-secret does not exist",
		"follow it: kubectl summarizer runs follow samsum-20261125-1000-mistral-7b -n ml\n",
	} {
		if !strings.Contains(r.errOut, says) {
			t.Errorf("stderr does not say %q:\n%s", says, r.errOut)
		}
	}
	if n := strings.Count(r.errOut, "does not exist"); n != 1 {
		t.Errorf("the same warning %d times", n)
	}
	if len(r.dynamic.Made) != 16 || !slices.Contains(r.dynamic.Made, "Job/train-samsum-20261125-1000-llama-3-2-3b-prepare") {
		t.Errorf("made %v", r.dynamic.Made)
	}
}

// Nothing is made by a trial, nor when anything stands in the way; all of it is told at once.
func TestRefusals(t *testing.T) {
	there := runstest.Objects(t, runstest.Spec("cookies"), train.Options{})
	stopped := runstest.Job(runstest.Objects(t, runstest.Spec("cookies"), train.Options{}), "train-cookies-prepare", func(j *batchv1.Job) {
		j.Annotations = map[string]string{"kubectl-summarizer/stopped": "now"}
	})
	queue := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "LocalQueue", "metadata": map[string]any{"name": "gpus", "namespace": runstest.Namespace},
	}}
	noClass := slices.DeleteFunc(room(), func(o runtime.Object) bool { _, is := o.(*storagev1.StorageClass); return is })
	refuseRoles := func(_ *runstest.Client, d *runstest.Dynamic) {
		d.Refuse = func(o *unstructured.Unstructured, _ bool) error {
			if o.GetKind() == "Role" {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "roles"}, "x", errors.New(`User "u" cannot create resource "roles"`))
			}
			return nil
		}
	}
	noQueues := func(_ *runstest.Client, d *runstest.Dynamic) {
		d.PrependReactor("list", "localqueues", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewNotFound(schema.GroupResource{}, "")
		})
	}
	for name, test := range map[string]struct {
		objects []runtime.Object
		prepare func(*runstest.Client, *runstest.Dynamic)
		args    []string
		says    []string
		next    string
	}{
		"the name is taken":       {objects: room(there...), args: []string{"cookies"}, says: []string{"there is a run cookies already, and it is pending"}, next: "runs follow cookies -n ml"},
		"by a stopped one":        {objects: room(stopped...), args: []string{"cookies"}, says: []string{"and it is stopped"}, next: "train --resume cookies -n ml"},
		"no namespace":            {objects: room()[1:], says: []string{`namespace "ml" does not exist`}, next: "kubectl create namespace ml"},
		"too large":               {args: []string{"--max-length", "4096", "--batch-size", "8"}, says: []string{"does not fit: it takes about", "GiB  weights: 7.25B parameters in bfloat16"}, next: "--batch-size"},
		"another GPU":             {args: []string{"--gpu-accelerator", "nvidia-h100-80gb"}, says: []string{"no node has cloud.google.com/gke-accelerator=nvidia-h100-80gb"}, next: "--gpu-accelerator nvidia-l4"},
		"no Secret":               {args: []string{"--hf-secret", "mine"}, says: []string{`the Secret "mine" does not exist`}, next: "kubectl create secret generic"},
		"no storage":              {objects: noClass, says: []string{"no default StorageClass"}, next: "--claim NAME"},
		"no such storage":         {args: []string{"--storage-class", "fast"}, says: []string{`there is no StorageClass "fast"`}, next: "--storage-class standard"},
		"no claim":                {args: []string{"--claim", "mine"}, says: []string{`there is no PersistentVolumeClaim "mine"`}, next: "kubectl get pvc"},
		"no data claim":           {args: []string{"--data", "pvc://mine/x"}, says: []string{`there is no PersistentVolumeClaim "mine"`}},
		"no variables":            {args: []string{"--env-from", "secret/proxy"}, says: []string{`there is no Secret "proxy"`}},
		"no ServiceAccount":       {args: []string{"--service-account", "me"}, says: []string{`there is no ServiceAccount "me"`}, next: "kubectl create serviceaccount me"},
		"no queue":                {objects: room(queue), args: []string{"--queue", "gpu"}, says: []string{`there is no LocalQueue "gpu"`}, next: "--queue gpus"},
		"no Kueue":                {prepare: noQueues, args: []string{"--queue", "gpu"}, says: []string{"Kueue is not installed"}},
		"no right":                {prepare: refuseRoles, says: []string{"would refuse role.rbac.authorization.k8s.io/"}, next: "kubectl auth can-i"},
		"two things at once":      {args: []string{"--storage-class", "fast", "--hf-secret", "mine"}, says: []string{"2 things stand in the way", `"mine" does not exist`, `"fast"`}},
		"two models, one refusal": {args: []string{"--model", "meta-llama/Llama-3.2-3B-Instruct", "--storage-class", "fast"}, says: []string{`there is no StorageClass "fast"`}},
	} {
		t.Run(name, func(t *testing.T) {
			objects := test.objects
			if objects == nil {
				objects = room()
			}
			r := run(t, objects, test.prepare, append([]string{"--model", mistral, "--detach"}, test.args...)...)
			if failure.KindOf(r.err) != failure.Refused {
				t.Fatalf("%v\n%s", r.err, r.errOut)
			}
			for _, says := range test.says {
				if !strings.Contains(r.err.Error(), says) {
					t.Errorf("%q is not in %v", says, r.err)
				}
			}
			if !strings.Contains(failure.NextOf(r.err), test.next) || name == "two models, one refusal" && strings.Contains(r.err.Error(), "things stand") {
				t.Errorf("next: %s\n%v", failure.NextOf(r.err), r.err)
			}
			if len(r.dynamic.Made) > 0 || r.out != "" {
				t.Errorf("made %v", r.dynamic.Made)
			}
		})
	}
}

func TestDryRuns(t *testing.T) {
	server := run(t, room(), nil, "cookies", "--model", mistral, "--dry-run=server")
	if server.err != nil || len(server.dynamic.Made) > 0 || strings.Count(server.out, " (server dry run)\n") != 8 || !strings.HasSuffix(server.errOut, "every check passed\nnothing was created\n") {
		t.Errorf("%v\n%s%s", server.err, server.out, server.errOut)
	}
	// The client's asks no cluster.
	client := run(t, nil, func(_ *runstest.Client, d *runstest.Dynamic) {
		d.Refuse = func(*unstructured.Unstructured, bool) error { t.Error("the cluster was asked"); return nil }
	}, "cookies", "--model", mistral, "--dry-run=client")
	if client.err != nil || strings.Count(client.out, "---\n") != 8 || !strings.Contains(client.out, "name: train-cookies-prepare\n") {
		t.Errorf("%v\n%.200s", client.err, client.out)
	}
	if asJSON := run(t, nil, nil, "cookies", "--model", mistral, "--dry-run=client", "-o", "json"); !strings.HasPrefix(asJSON.out, "{\n") {
		t.Errorf("%v\n%.200s", asJSON.err, asJSON.out)
	}
}

func TestSkipChecks(t *testing.T) {
	r := run(t, nil, nil, "cookies", "--model", mistral, "--skip-checks", "--detach")
	if r.err != nil || len(r.dynamic.Tried) > 0 || len(r.dynamic.Made) != 8 {
		t.Errorf("%v, made %v", r.err, r.dynamic.Made)
	}
}

// ended is the run cookies, which ran out of memory.
func ended(t *testing.T, change func([]runtime.Object)) []runtime.Object {
	options := train.Options{Namespace: runstest.Namespace, Image: "registry/image:1", LocalData: []byte("files")}
	objects := runstest.Objects(t, runstest.Spec("cookies"), options)
	text, err := runs.EncodeOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	runstest.Record(t, objects, "cookies", runs.KeyOptions, text)
	runstest.Record(t, objects, "cookies", train.KeyError, `{"event":"error","kind":"memory","message":"m"}`)
	runstest.Job(objects, "train-cookies-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
	runstest.Job(objects, "train-cookies", runstest.Ended(batchv1.JobFailed, "PodFailurePolicy", "exit code 5"))
	if change != nil {
		change(objects)
	}
	return room(objects...)
}

func TestResume(t *testing.T) {
	r := run(t, ended(t, nil), nil, "cookies", "--resume", "--batch-size", "2", "--memory", "48Gi", "--detach")
	if r.err != nil || r.out != "run/cookies resumed\n" {
		t.Fatalf("%v\n%s%s", r.err, r.out, r.errOut)
	}
	if !slices.Equal(r.dynamic.Made, []string{"ServiceAccount/train-cookies", "Role/train-cookies", "RoleBinding/train-cookies", "ConfigMap/train-cookies-code",
		"ConfigMap/train-cookies-data", "PersistentVolumeClaim/train-cookies", "Job/train-cookies", "Job/train-cookies-prepare"}) {
		t.Errorf("made %v", r.dynamic.Made)
	}
	record, err := r.dynamic.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(runstest.Namespace).Get(context.Background(), "train-cookies", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, _, _ := unstructured.NestedStringMap(record.Object, "data")
	if !strings.Contains(data[train.KeySpec], "batchSize: 2") || !strings.Contains(data[runs.KeyOptions], `"memory":"48Gi"`) ||
		!strings.Contains(data[runs.KeyOptions], "registry/image:1") || data[train.KeyError] != "" {
		t.Errorf("%v", data)
	}
	job, err := r.dynamic.Resource(batchv1.SchemeGroupVersion.WithResource("jobs")).Namespace(runstest.Namespace).Get(context.Background(), "train-cookies-prepare", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := job.MarshalJSON(); !bytes.Contains(text, []byte("train-cookies-data")) || !bytes.Contains(text, []byte("registry/image:1")) {
		t.Error("the preparation has lost the user's files, or its image")
	}
}

// Before there is data to train on, what a checkpoint cannot take may still be corrected.
func TestResumeWithOtherColumns(t *testing.T) {
	r := run(t, ended(t, nil), nil, "cookies", "--resume", "--detach", "--summary-column", "sum", "--rank", "8")
	if r.err != nil {
		t.Fatal(r.err)
	}
	record, err := r.dynamic.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(runstest.Namespace).Get(context.Background(), "train-cookies", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if spec, _, _ := unstructured.NestedString(record.Object, "data", train.KeySpec); !strings.Contains(spec, "summary: sum") || !strings.Contains(spec, "rank: 8") {
		t.Error(spec)
	}
}

// A run that was only stopped is let go on as it is: nothing is made anew.
func TestResumeWhatWasStopped(t *testing.T) {
	objects := ended(t, func(objects []runtime.Object) {
		runstest.Job(objects, "train-cookies", func(j *batchv1.Job) {
			j.Status.Conditions = nil
			j.Annotations = map[string]string{"kubectl-summarizer/stopped": "now"}
		})
	})
	r := run(t, objects, nil, "cookies", "--resume", "--detach")
	if r.err != nil || len(r.dynamic.Made) > 0 {
		t.Fatalf("%v, made %v", r.err, r.dynamic.Made)
	}
	job, err := r.dynamic.Resource(batchv1.SchemeGroupVersion.WithResource("jobs")).Namespace(runstest.Namespace).Get(context.Background(), "train-cookies", metav1.GetOptions{})
	if suspended, _, _ := unstructured.NestedBool(job.Object, "spec", "suspend"); err != nil || suspended || job.GetAnnotations()["kubectl-summarizer/stopped"] != "" {
		t.Errorf("%v %v", job.Object["spec"], err)
	}
}

func TestWhatCannotGoOn(t *testing.T) {
	complete := ended(t, func(objects []runtime.Object) {
		runstest.Job(objects, "train-cookies", func(j *batchv1.Job) { j.Status.Conditions = nil; runstest.Ended(batchv1.JobComplete, "", "")(j) })
		runstest.Record(t, objects, "cookies", train.KeyResult, runstest.Result("cookies", 0.5))
	})
	atWork := ended(t, func(objects []runtime.Object) {
		runstest.Job(objects, "train-cookies", func(j *batchv1.Job) { j.Status.Conditions = nil })
	})
	prepared := ended(t, func(objects []runtime.Object) {
		runstest.Record(t, objects, "cookies", train.KeyPrepared, `{"model": "m"}`)
	})
	foreign := ended(t, func(objects []runtime.Object) { runstest.Record(t, objects, "cookies", runs.KeyOptions, "") })
	for name, test := range map[string]struct {
		objects []runtime.Object
		args    []string
		kind    failure.Kind
		says    string
	}{
		"no name":               {nil, []string{}, failure.Usage, "name the run to go on with"},
		"not there":             {room(), []string{"cookies"}, failure.Failed, `there is no run "cookies"`},
		"done":                  {complete, []string{"cookies"}, failure.Refused, "run cookies is done"},
		"at work":               {atWork, []string{"cookies"}, failure.Refused, "goes on already"},
		"another model":         {nil, []string{"cookies", "--model", mistral}, failure.Usage, "--model cannot be changed"},
		"another rank":          {prepared, []string{"cookies", "--rank", "8"}, failure.Usage, "--rank cannot be changed"},
		"another volume":        {ended(t, nil), []string{"cookies", "--set", "volume=/x"}, failure.Usage, "volume cannot be changed"},
		"another rank by --set": {prepared, []string{"cookies", "--set", "lora.rank=8"}, failure.Usage, "lora cannot be changed"},
		"made by hand":          {foreign, []string{"cookies"}, failure.Refused, "was not started by this program"},
	} {
		r := run(t, test.objects, nil, append([]string{"--resume"}, test.args...)...)
		if failure.KindOf(r.err) != test.kind || r.err == nil || !strings.Contains(r.err.Error(), test.says) || len(r.dynamic.Made) > 0 {
			t.Errorf("%s: %v", name, r.err)
		}
	}
}

// What a user sees of a GPU that is too small is the arithmetic.
func TestFits(t *testing.T) {
	spec := runstest.Spec("r")
	for model, want := range map[string]string{
		"HuggingFaceTB/SmolLM2-135M-Instruct": "takes about",
		"org/unheard-of":                      "is not known",
		"org/thing-70B":                       "warning:", // a guess is no reason to refuse
	} {
		spec.Model.ID = model
		if line, refused := fits(&spec, "nvidia-l4"); refused != nil || !strings.Contains(line, want) {
			t.Errorf("%s: %q %v", model, line, refused)
		}
	}
	if line, refused := fits(&spec, "somebody's-gpu"); line != "" || refused != nil {
		t.Errorf("%q %v", line, refused)
	}
}
