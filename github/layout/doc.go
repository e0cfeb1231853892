// Package layout keeps the model of package github in a branch of a database,
// as files (spec/github.md, sections 2 and 3):
//
//	USER/REPO/.monitor                                    the repository is mirrored
//	USER/REPO/pr/N/{head,state,title,owner,base}          a pull request
//	USER/REPO/pr/N/comments/INDEX/{id,user,body}          its comments
//	USER/REPO/commit/SHA/status/CTX…/{state,description,target_url}
//	USER/REPO/ref/NAME…/head                              a Git reference
//
// Beside these, a file .dirty asks for an element to be read from GitHub again,
// and a file .error says what GitHub refused.
//
// [Read] tells what a tree says, [ReadCommit] and [Begin] the same of a commit
// and a branch, reading only what has changed since an older commit where one
// is known. [Write], [Remove] and [Apply] edit a transaction. What is in the
// branch and cannot be understood is reported as [Malformed] and otherwise
// passed over: nothing that people write there makes a read fail.
package layout
