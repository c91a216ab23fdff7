package prepare

import (
	"regexp"
	"strings"
)

// FromContext reads project, location and cluster from the name of a kubeconfig's context, as gcloud, the AWS CLI and
// eksctl write it. For AWS the project is the account, "" where the name does not say it.
func FromContext(contextName string) (project, location, cluster string, ok bool) {
	if rest, is := strings.CutPrefix(contextName, "gke_"); is {
		parts := strings.Split(rest, "_") // which no part can hold
		if len(parts) == 3 && name().MatchString(parts[0]) && name().MatchString(parts[1]) && name().MatchString(parts[2]) {
			return parts[0], parts[1], parts[2], true
		}
		return "", "", "", false
	}
	for _, form := range []*regexp.Regexp{
		regexp.MustCompile(`^arn:aws[a-z-]*:eks:(?P<location>[a-z0-9-]+):(?P<project>[0-9]{12}):cluster/(?P<cluster>[A-Za-z0-9][A-Za-z0-9_-]*)$`),
		regexp.MustCompile(`^(?P<project>)[^@]+@(?P<cluster>[A-Za-z0-9][A-Za-z0-9_-]*)\.(?P<location>[a-z0-9-]+)\.eksctl\.io$`),
	} {
		if found := form.FindStringSubmatch(contextName); found != nil {
			return found[form.SubexpIndex("project")], found[form.SubexpIndex("location")], found[form.SubexpIndex("cluster")], true
		}
	}
	return "", "", "", false
}
