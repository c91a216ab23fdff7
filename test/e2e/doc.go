// Package e2e tests the built plugin as its users run it, against a real cluster: the local
// one (hack/localcluster.sh up), or any other that KUBECONFIG names. Its tests are behind
// the build tag "e2e"; `make e2e` runs them.
package e2e
