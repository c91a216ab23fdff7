// Package servers pins what the local cluster builds: Kubernetes, etcd,
// CoreDNS and KWOK. It is a module of its own so that the programs that use
// the cluster never depend on Kubernetes' server code.
package servers
