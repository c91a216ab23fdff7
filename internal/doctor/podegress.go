package doctor

import (
	"context"
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// https is the port of the Hub, of Weights & Biases and of most registries.
const https = 443

// podEgress looks for network policies that keep the pods from the Hub.
func (s *Subject) podEgress(ctx context.Context) Finding {
	list, err := s.Client.NetworkingV1().NetworkPolicies(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return s.unknown("list network policies in namespace "+s.Namespace, err)
	}
	pods := []struct {
		name   string
		labels labels.Set
	}{{"train", labels.Set{train.LabelName: train.AppName}}}
	if s.Template != nil {
		pods = append(pods, struct {
			name   string
			labels labels.Set
		}{"install", s.Template.Labels})
	}
	var blocked []string
	for _, p := range pods {
		by, open := blocking(list.Items, p.labels)
		if len(by) > 0 && !open {
			blocked = append(blocked, fmt.Sprintf("the pods of %s (%s)", p.name, strings.Join(by, ", ")))
		}
	}
	if len(blocked) > 0 {
		return warn("see: kubectl describe networkpolicy"+s.in()+"\nlet pods with the label app.kubernetes.io/name reach the Hub on port 443 and DNS on port 53, or serve a mirror: --set model.hubEndpoint=URL",
			"network policies let no traffic to the whole internet on port %d out of %s", https, strings.Join(blocked, " and of "))
	}
	return pass("no NetworkPolicy in namespace %s keeps the pods from the Hub; firewalls and policies of other kinds (Cilium, Calico, a mesh) are not visible here", s.Namespace)
}

// blocking returns the policies that limit where pods with these labels may go, and whether one
// of them lets them reach every address by https.
func blocking(policies []networkingv1.NetworkPolicy, pod labels.Set) (by []string, open bool) {
	for i := range policies {
		p := &policies[i]
		selector, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
		if err != nil || !selector.Matches(pod) || !limitsEgress(p) {
			continue
		}
		by = append(by, p.Name)
		for _, rule := range p.Spec.Egress {
			open = open || everywhere(rule.To) && onHTTPS(rule.Ports)
		}
	}
	return by, open
}

func limitsEgress(p *networkingv1.NetworkPolicy) bool {
	for _, kind := range p.Spec.PolicyTypes {
		if kind == networkingv1.PolicyTypeEgress {
			return true
		}
	}
	return len(p.Spec.PolicyTypes) == 0 && len(p.Spec.Egress) > 0
}

func everywhere(to []networkingv1.NetworkPolicyPeer) bool {
	for _, peer := range to {
		if peer.IPBlock != nil && (peer.IPBlock.CIDR == "0.0.0.0/0" || peer.IPBlock.CIDR == "::/0") {
			return true
		}
	}
	return len(to) == 0
}

func onHTTPS(ports []networkingv1.NetworkPolicyPort) bool {
	for _, port := range ports {
		switch {
		case port.Protocol != nil && *port.Protocol != "TCP":
		case port.Port == nil, port.Port.StrVal == "https":
			return true
		case port.EndPort != nil:
			if port.Port.IntVal <= https && https <= *port.EndPort {
				return true
			}
		case port.Port.IntVal == https:
			return true
		}
	}
	return len(ports) == 0
}
