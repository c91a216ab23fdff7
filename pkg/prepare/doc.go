// Package prepare writes the steps that make nodes with the GPUs that a release needs: text to paste into a shell, for
// GKE Autopilot, GKE Standard, EKS, and clusters with NVIDIA's GPU operator. It runs nothing and asks nobody.
//
// None of this could be tried: there is no cloud and no GPU where it was written. The names of flags and fields follow
// the public references of gcloud, GKE, eksctl, NVIDIA's GPU operator and device plugin as of November 2026; the
// tests prove that the shell parses and that the YAML in it is YAML, and no more.
package prepare
