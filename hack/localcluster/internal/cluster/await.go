package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

func (c *Cluster) awaitAPI(ctx context.Context, a *api) error {
	var ended string
	err := until(ctx, 60*time.Second, func(ctx context.Context) error {
		for _, name := range []string{"etcd", "kube-apiserver"} {
			if _, alive := c.Table().Get(name); !alive {
				ended = name
				return nil
			}
		}
		return a.ready(ctx)
	})
	if ended != "" {
		return c.explain(fmt.Errorf("%s ended right after its start", ended), ended)
	}
	if err != nil {
		return c.explain(fmt.Errorf("the API server does not become ready: %w", err), "kube-apiserver", "etcd")
	}
	return nil
}

func (c *Cluster) awaitHealth(ctx context.Context, components []component) error {
	for _, k := range components {
		var ended bool
		if err := until(ctx, 30*time.Second, func(ctx context.Context) error {
			if _, alive := c.Table().Get(k.name); !alive {
				ended = true
				return nil
			}
			return k.healthy(ctx)
		}); err != nil {
			return c.explain(fmt.Errorf("%s does not become healthy: %w", k.name, err), k.name)
		}
		if ended {
			return c.explain(fmt.Errorf("%s ended right after its start", k.name), k.name)
		}
	}
	return nil
}

// awaitPods waits until the kubelet knows the pods that are bound to its node. One that was just started learns of
// them after it has reported ready, and until then answers exec and logs with "pod does not exist".
func (c *Cluster) awaitPods(ctx context.Context, a *api) error {
	type pods struct {
		Items []struct {
			Metadata struct{ Namespace, Name, UID string }
		}
	}
	return until(ctx, 30*time.Second, func(ctx context.Context) error {
		var bound, known pods
		if err := a.get(ctx, "/api/v1/pods?fieldSelector=spec.nodeName="+NodeName, &bound); err != nil {
			return err
		}
		if err := a.get(ctx, "/api/v1/nodes/"+NodeName+"/proxy/pods", &known); err != nil {
			return err
		}
		for _, pod := range bound.Items {
			if !slices.Contains(known.Items, pod) {
				return fmt.Errorf("the kubelet does not know pod %s/%s yet", pod.Metadata.Namespace, pod.Metadata.Name)
			}
		}
		return nil
	})
}

// explain adds the last lines of the components that may be to blame, and what to type.
func (c *Cluster) explain(err error, components ...string) error {
	var text strings.Builder
	for _, name := range components {
		for _, line := range lastLines(c.Table().LogPath(name), 5) {
			fmt.Fprintf(&text, "\n  %s: %s", name, line)
		}
	}
	return fmt.Errorf("%w%s\n  all of it: localcluster logs %s; to begin anew: localcluster down", err, text.String(), components[0])
}

func lastLines(path string, count int) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var lines []string
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if lines = append(lines, scanner.Text()); len(lines) > count {
			lines = lines[1:]
		}
	}
	return lines
}
