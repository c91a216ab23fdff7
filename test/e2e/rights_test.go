//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	api "k8s.io/client-go/tools/clientcmd/api"
)

// Somebody without rights learns so in one message, before anything is changed.
func TestWithoutRights(t *testing.T) {
	ns := namespace(t)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}
	if _, err := env.client.CoreV1().ServiceAccounts(ns).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := env.client.CoreV1().ServiceAccounts(ns).CreateToken(t.Context(), "nobody", &authv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	config := api.Config{
		Clusters:       map[string]*api.Cluster{"c": {Server: env.config.Host, CertificateAuthorityData: env.config.CAData, CertificateAuthority: env.config.CAFile}},
		AuthInfos:      map[string]*api.AuthInfo{"u": {Token: token.Status.Token}},
		Contexts:       map[string]*api.Context{"c": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "c",
	}
	if err := clientcmd.WriteToFile(config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{install(ns, "r"), {"status", "r", "-n", ns}, {"uninstall", "r", "-n", ns}, {"query", "--release", "r", "-n", ns, "x"}} {
		r := run(t, append(args, "--kubeconfig", kubeconfig)...).oneError(t).says(t, `you may not|cannot`)
		if r.code != 1 && r.code != 3 {
			t.Errorf("%s: exit code %d, want 1 or 3", args[0], r.code)
		}
	}
}
