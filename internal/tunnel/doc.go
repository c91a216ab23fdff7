// Package tunnel reaches the server pods of a release from outside the cluster, through the
// API server's port-forward. It differs from `kubectl port-forward` where that fails its
// users: it follows the release rather than one pod, spreads over the ready pods, and every
// connection has a tunnel of its own, so that neither a refused connection nor a client that
// stops reading disturbs the others.
package tunnel
