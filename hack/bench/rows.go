package main

import (
	"os"
	"time"
)

// maxBinary is the budget for the stripped plugin, in bytes.
const maxBinary = 65e6

// comparison is one row: two commands that do the same job.
type comparison struct {
	name         string
	ours, theirs []string
	// between undoes what a run did; nil where a run changes nothing.
	between []string
	// maxWall and maxMemory are budgets for ours/theirs; 0 is none.
	maxWall, maxMemory float64
	// within is a budget for our time alone, where no peer does the same; 0 is none.
	within time.Duration
}

// comparisons lists the rows, and says why some are left out.
func comparisons(o options) (rows []comparison, leftOut string) {
	const noSlower, half = 1, 0.5
	for _, helm := range []struct{ name, path string }{{"Helm 3", o.helm3}, {"Helm 4", o.helm4}} {
		rows = append(rows,
			comparison{
				name: "`version`, against `helm version` of " + helm.name,
				ours: []string{o.plugin, "version"}, theirs: []string{helm.path, "version"}, maxWall: noSlower,
			},
			comparison{
				name: "`--help`, against `helm --help` of " + helm.name,
				ours: []string{o.plugin, "--help"}, theirs: []string{helm.path, "--help"}, maxWall: noSlower,
			},
			comparison{
				name: "`render`, against `helm template` of " + helm.name,
				ours: []string{o.plugin, "render", "bench"}, theirs: []string{helm.path, "template", "bench", o.chart},
				maxWall: half, maxMemory: half,
			},
			comparison{
				// No peer plans: the ratio is to the nearest that Helm does with a chart.
				name: "`plan`, beside `helm template` of " + helm.name,
				ours: []string{o.plugin, "plan"}, theirs: []string{helm.path, "template", "bench", o.chart}, within: 50 * time.Millisecond,
			},
		)
		if o.kubeconfig == "" {
			continue
		}
		// No pods: what is measured is the way to the last applied object, not what the node does then.
		flags := []string{"--namespace", o.namespace, "-f", o.values, "--set", "replicas=0"}
		rows = append(rows, comparison{
			name:    "`install --wait=false`, against `helm install` of " + helm.name,
			ours:    append([]string{o.plugin, "install", "bench", "--wait=false"}, flags...),
			theirs:  append([]string{helm.path, "install", "bench", o.chart}, flags...),
			between: []string{o.helm3, "uninstall", "bench", "--wait", "--namespace", o.namespace},
			maxWall: noSlower,
		})
	}
	if o.kubeconfig == "" {
		leftOut = "`install` was left out: there was no cluster."
	}
	return rows, leftOut
}

// environment is what the measured programs see: nothing of the user's Helm or Kubernetes configuration.
func environment(home, kubeconfig string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + kubeconfig,
		"XDG_CACHE_HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home,
	}
}
