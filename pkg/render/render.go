package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/apimachinery/pkg/util/validation"
)

// DefaultKubeVersion is the Kubernetes version that manifests are rendered for when none is
// given. Without it Helm built as a library believes in Kubernetes 1.20.
const DefaultKubeVersion = "v1.37.0"

const notesFile = "NOTES.txt"

// Options are what a render depends on besides the chart.
type Options struct {
	// Release is the release's name, Namespace where it goes. Both are required.
	Release   string
	Namespace string
	// Values are the user's, as MergeValues returns them; they are not changed.
	Values map[string]any
	// KubeVersion is the cluster's version, DefaultKubeVersion when empty.
	KubeVersion string
	// APIVersions are API groups or kinds beyond Kubernetes' own that the cluster has.
	APIVersions []string
}

// Render renders chart, whose root holds Chart.yaml. Its errors are *OptionError,
// *ValuesError, *RefusedError or *TemplateError, or tell that the chart cannot be read.
func Render(ctx context.Context, chart fs.FS, o Options) (Result, error) {
	caps, err := o.capabilities()
	if err != nil {
		return Result{}, err
	}
	c, err := load(chart)
	if err != nil {
		return Result{}, err
	}
	if need := c.Metadata.KubeVersion; need != "" && !chartutil.IsCompatibleRange(need, caps.KubeVersion.Version) {
		return Result{}, &RefusedError{Reason: fmt.Sprintf("the chart needs Kubernetes %s, and this is %s", need, caps.KubeVersion.Version)}
	}
	if problems := findTokens(o.Values); len(problems) > 0 {
		return Result{}, &ValuesError{Problems: problems}
	}
	// Compiling the schema takes as long as a third of the templates: it goes beside them.
	compiled := make(chan func() (*schema, error), 1)
	go func() {
		s, err := compileSchema(c.Schema)
		compiled <- func() (*schema, error) { return s, err }
	}()
	input, values, err := renderValues(c, o, caps)
	if err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	var e engine.Engine
	rendered, fault := e.Render(c, input)
	checker, err := (<-compiled)()
	if err != nil {
		return Result{}, err
	}
	if err := checker.check(values); err != nil {
		return Result{}, err
	}
	if fault != nil {
		return Result{}, explainTemplate(fault, o.Values)
	}
	result, err := assemble(c, rendered)
	result.Values = values
	return result, err
}

func (o Options) capabilities() (*chartutil.Capabilities, error) {
	if err := chartutil.ValidateReleaseName(o.Release); err != nil {
		return nil, &OptionError{What: "release name", Problem: fmt.Sprintf(
			"%q is not valid: lower-case letters, digits, '-' and '.', at most 53 characters, the first and last no '-' or '.'", o.Release)}
	}
	if reasons := validation.IsDNS1123Label(o.Namespace); len(reasons) > 0 {
		return nil, &OptionError{What: "namespace", Problem: fmt.Sprintf(
			"%q is not valid: lower-case letters, digits and '-', at most 63 characters, the first and last no '-'", o.Namespace)}
	}
	version := o.KubeVersion
	if version == "" {
		version = DefaultKubeVersion
	}
	parsed, err := chartutil.ParseKubeVersion(version)
	if err != nil {
		return nil, &OptionError{What: "Kubernetes version", Problem: fmt.Sprintf("%q is not a version such as %s", version, DefaultKubeVersion)}
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = *parsed
	caps.APIVersions = append(caps.APIVersions, o.APIVersions...)
	return caps, nil
}

// renderValues merges the user's values over the chart's, and returns what templates are
// given and a copy of the merged values, as templates can change theirs.
func renderValues(c *chart.Chart, o Options, caps *chartutil.Capabilities) (chartutil.Values, map[string]any, error) {
	release := chartutil.ReleaseOptions{Name: o.Release, Namespace: o.Namespace, Revision: 1, IsInstall: true}
	input, err := chartutil.ToRenderValuesWithSchemaValidation(c, o.Values, release, caps, true)
	if err != nil {
		return nil, nil, &OptionError{What: "values", Problem: err.Error()}
	}
	values, ok := input["Values"].(chartutil.Values)
	if !ok {
		return nil, nil, fmt.Errorf("the chart's values have the type %T", input["Values"])
	}
	return input, copyOf(values.AsMap()), nil
}

// assemble puts rendered templates into the order of Helm's release record.
func assemble(c *chart.Chart, rendered map[string]string) (Result, error) {
	notes := rendered[path.Join(c.Name(), "templates", notesFile)]
	for name := range rendered {
		if strings.HasSuffix(name, notesFile) {
			delete(rendered, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(rendered, nil, releaseutil.InstallOrder)
	if err != nil {
		return Result{}, &TemplateError{Err: err}
	}
	r := Result{Notes: notes, Warnings: warnings(notes)}
	for _, m := range manifests {
		r.Documents = append(r.Documents, newDocument(m.Name, m.Content, m.Head))
	}
	r.Manifests = join(r.Documents)
	for _, h := range hooks {
		r.HookDocuments = append(r.HookDocuments, Document{Template: h.Path, Kind: h.Kind, Name: h.Name, Body: h.Manifest})
	}
	r.Hooks = join(r.HookDocuments)
	return r, nil
}

// explainTemplate separates what the chart says with `fail` or `required` from faults.
func explainTemplate(err error, values map[string]any) error {
	// Helm writes "execution error at (chart/templates/file.yaml:3:4): sentence" for those
	// and for nothing else.
	said := regexp.MustCompile(`(?s)^execution error at \([^)]+\): (.*)$`).FindStringSubmatch(err.Error())
	if said != nil {
		return &RefusedError{Reason: strings.TrimSpace(said[1])}
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &TemplateError{Err: err, Nulls: nulls("", values)}
}
