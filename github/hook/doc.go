// Package hook brings GitHub's webhooks into the sync: it registers them,
// receives their deliveries over HTTP, checks that they come from GitHub, and
// keeps their events until they have been used (spec/github.md, sections 6.3
// and 6.4).
package hook
