// Package github is the model of the GitHub world that DataKit works with:
// users, repositories, commits, pull requests with their comments, build
// statuses, Git references, and the events that change them (spec/github.md,
// section 1). It knows neither the network nor the database: package
// github/api speaks to GitHub, package github/layout stores the model in a
// branch, and package github/bridge keeps the two in step.
package github
