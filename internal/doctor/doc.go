// Package doctor looks at a cluster and at the accounts that a model needs, before any GPU is
// paid for. It reads and never writes, and no token is in what it says.
package doctor
