// Package house has no code of its own: its test holds the arrows that CONTRIBUTING.md
// draws, so that nobody has to remember them.
package house
