// Command etcd is etcd's own server, built in the module of the Kubernetes
// servers so that both share one set of dependencies and one build.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
