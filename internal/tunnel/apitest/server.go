// Package apitest is a Kubernetes API server for tests of whole commands: it shows the objects
// that it is given, and takes no changes. What depends on a real one is tested on a real one.
package apitest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Context is the one context of the kubeconfig, which is not its current one: a command must
// be told to use it.
const Context = "gke_lab_europe-west4_gpus"

// Start runs a server with these objects until the test ends, and returns a kubeconfig file.
func Start(t testing.TB, objects ...runtime.Object) string {
	t.Helper()
	server := httptest.NewServer(handler(objects))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := api.Config{
		Clusters: map[string]*api.Cluster{"c": {Server: server.URL}},
		Contexts: map[string]*api.Context{Context: {Cluster: "c"}},
	}
	if err := clientcmd.WriteToFile(config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

type handler []runtime.Object

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/version" {
		reply(w, http.StatusOK, map[string]string{"major": "1", "minor": "36", "gitVersion": "v1.36.0"})
		return
	}
	_, path, found := strings.Cut(r.URL.Path, "/namespaces/")
	namespace, resource, isList := strings.Cut(path, "/")
	query := r.URL.Query()
	switch {
	case !found || r.Method != http.MethodGet:
		refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound)
	case query.Get("watch") != "" && query.Get("sendInitialEvents") != "":
		refuse(w, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid) // the client lists instead
	case query.Get("watch") != "":
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case isList:
		h.list(w, namespace, resource, query.Get("labelSelector"))
	default:
		h.list(w, namespace, "", "")
	}
}

// list answers with the objects of one resource; without a resource, with the namespace.
func (h handler) list(w http.ResponseWriter, namespace, resource, selector string) {
	wanted, err := labels.Parse(selector)
	if err != nil {
		refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest)
		return
	}
	items, list := []any{}, metav1.TypeMeta{Kind: "List", APIVersion: "v1"} // of nothing, of any kind
	for _, o := range h {
		kinds, _, err := scheme.Scheme.ObjectKinds(o)
		if err != nil {
			panic(err)
		}
		kind := kinds[0]
		o.GetObjectKind().SetGroupVersionKind(kind)
		object, err := meta.Accessor(o)
		if err != nil {
			panic(err)
		}
		switch {
		case resource == "" && kind.Kind == "Namespace" && object.GetName() == namespace:
			reply(w, http.StatusOK, o)
			return
		case strings.ToLower(kind.Kind)+"s" == resource && object.GetNamespace() == namespace && wanted.Matches(labels.Set(object.GetLabels())):
			list.APIVersion, list.Kind = kind.GroupVersion().String(), kind.Kind+"List"
			items = append(items, o)
		}
	}
	if resource == "" {
		refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound)
		return
	}
	reply(w, http.StatusOK, map[string]any{"kind": list.Kind, "apiVersion": list.APIVersion, "metadata": map[string]string{"resourceVersion": "1"}, "items": items})
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	reply(w, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Reason: reason, Message: string(reason), Code: int32(code), //nolint:gosec // HTTP codes are small
	})
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
