package cli

import (
	"io"
	"log"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// quietLibraries silences what libraries log on their own: client-go prints an unreachable
// cluster twice through klog before it returns the same error, Helm's loader uses the
// standard logger. Every error is returned too, and printed once.
func quietLibraries() {
	klog.SetLogger(logr.Discard())
	log.SetOutput(io.Discard)
}
