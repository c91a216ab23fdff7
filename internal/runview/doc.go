// Package runview shows training runs to people: while they are at work, and what they came to.
package runview
