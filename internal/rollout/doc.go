// Package rollout gives a rendered release to the cluster and tells how it comes up, in the
// words of somebody who waits: what `install` and `promote` have in common.
package rollout
