// Package bridge keeps a branch of a database and GitHub in step, in both
// directions (spec/github.md, section 4).
//
// [Once] performs one sync, [Repeat] one after each wake-up. Both work on a
// [State], which holds what they know of the two sides. Each sync has the same
// steps: read the branch, import from GitHub what has to be, take the webhook
// events, decide for each element who wins, send what the branch says to
// GitHub, and write what GitHub says to the branch in at most one commit.
//
// What a sync costs follows from the repositories in which something happened,
// not from the number of those that are monitored.
package bridge
