package release

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/resource"
)

// sweep deletes what unfinished revisions created and the new one does not have. Helm
// compares with the last deployed revision alone and would leave such objects for ever.
func (c *Client) sweep(cfg *action.Configuration, current *Info, unfinished []*release.Release) error {
	if len(unfinished) == 0 {
		return nil
	}
	keep, err := built(cfg, string(current.Manifest))
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range unfinished {
		left, err := built(cfg, r.Manifest)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, info := range left.Difference(keep) {
			errs = append(errs, c.deleteOwned(cfg, current.Name, info))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("release %s is installed, but what an unfinished install left could not be removed: %w", current.Name, err)
	}
	return nil
}

// unfinished returns the revisions after the last deployed one that were begun and failed.
func unfinished(history []*release.Release) []*release.Release {
	var found []*release.Release
	for _, r := range history {
		if r.Info.Status == release.StatusDeployed {
			break
		}
		if r.Info.Status == release.StatusFailed {
			found = append(found, r)
		}
	}
	return found
}

// leftovers returns what the last deployed revision and the unfinished ones after it made, the
// newest does not name and the release still owns: Helm uninstalls what the newest names,
// and forgets the others.
func (c *Client) leftovers(cfg *action.Configuration, history []*release.Release) (kube.ResourceList, error) {
	older := unfinished(history[1:])
	for _, r := range history[1:] {
		if r.Info.Status == release.StatusDeployed {
			older = append(older, r)
			break
		}
	}
	if len(older) == 0 || history[0].Info.Status == release.StatusDeployed {
		return nil, nil
	}
	removed, err := built(cfg, history[0].Manifest)
	if err != nil {
		return nil, err
	}
	var found kube.ResourceList
	for _, r := range older {
		had, err := built(cfg, r.Manifest)
		if err != nil {
			return nil, err
		}
		for _, info := range had.Difference(removed).Difference(found) {
			owned, err := c.owned(r.Name, info)
			if err != nil {
				return nil, err
			}
			if owned {
				found.Append(info)
			}
		}
	}
	return found, nil
}

func built(cfg *action.Configuration, manifest string) (kube.ResourceList, error) {
	if strings.TrimSpace(manifest) == "" {
		return nil, nil
	}
	return cfg.KubeClient.Build(bytes.NewBufferString(manifest), false)
}

// owned says whether an object is there, the release's, and not to be kept.
func (c *Client) owned(name string, info *resource.Info) (bool, error) {
	if err := info.Get(); err != nil {
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return false, err
	}
	object, err := meta.Accessor(info.Object)
	if err != nil {
		return false, err
	}
	annotations := object.GetAnnotations()
	return foreignOwner(object, name, c.namespace) == "" && annotations[kube.ResourcePolicyAnno] != kube.KeepPolicy, nil
}

// deleteOwned deletes an object if it is still the release's and not to be kept.
func (c *Client) deleteOwned(cfg *action.Configuration, name string, info *resource.Info) error {
	owned, err := c.owned(name, info)
	if err != nil || !owned {
		return err
	}
	_, errs := cfg.KubeClient.Delete(kube.ResourceList{info})
	return errors.Join(errs...)
}
