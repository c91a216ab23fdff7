// Package train turns the description of a fine-tuning run into Kubernetes objects, and reads what
// the training program in trainer/ says: its events, its result and the scores by which two runs are compared.
// FORMATS.md describes what the two sides share.
package train
