// Package cluster talks to the Kubernetes API: it watches what a release does, says why it
// does not, and reaches its pods.
package cluster
