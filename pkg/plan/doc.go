// Package plan answers whether a release will serve: it reads chart values as package fit asks for them, and gives the
// answer the form in which it is printed, stored and fed to an installation. What the chart refuses is the chart's to say.
package plan
