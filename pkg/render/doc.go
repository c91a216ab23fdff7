// Package render turns a chart and values into the manifests that an install applies. It
// needs no cluster and no network, and the same input always gives the same bytes.
//
// It renders with Helm's own engine, in Helm's own order, so that its result is what
// `helm install` records for the release. Of Helm's types none appears in its interface.
package render
