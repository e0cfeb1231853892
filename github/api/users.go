package api

import (
	"context"

	"github.com/datakit/datakit/github"
)

// A user is an account in answers; GitHub may have none any more.
type user struct {
	Login string `json:"login"`
}

// login returns the name of an account, "ghost" if there is none (GH-3).
func (u *user) login() string {
	if u == nil {
		return github.Ghost
	}
	login, err := github.ParseLogin(u.Login)
	if err != nil {
		return github.Ghost
	}
	return login
}

// named is a subject that is only a name.
type named string

func (n named) String() string { return string(n) }

// UserExists reports whether GitHub has the user or organisation.
func (c *Client) UserExists(ctx context.Context, name string) (bool, error) {
	name, err := github.ParseName(name)
	if err != nil {
		return false, err
	}
	_, err = read[user](ctx, c, github.OpUserExists, named(name), "users/"+name, false)
	return found(err)
}

// UserRepos returns the repositories of a user that the token may see, in
// GitHub's order. The error is a refusal, 404, if there is no such user.
func (c *Client) UserRepos(ctx context.Context, name string) ([]github.Repo, error) {
	name, err := github.ParseName(name)
	if err != nil {
		return nil, err
	}
	var list []github.Repo
	type entry struct {
		Name string `json:"name"`
	}
	err = pages(ctx, c, github.OpUserRepos, named(name), "users/"+name+"/repos", "", func(page []entry) error {
		for _, e := range page {
			n, err := github.ParseName(e.Name)
			if err != nil {
				c.report("repo "+name+"/"+e.Name, "repository", github.Repo{User: name, Name: e.Name}, err)
				continue
			}
			list = append(list, github.Repo{User: name, Name: n})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// RepoExists is part of github.API.
func (c *Client) RepoExists(ctx context.Context, r github.Repo) (bool, error) {
	type answer struct {
		Name string `json:"name"`
	}
	_, err := read[answer](ctx, c, github.OpRepoExists, r, "repos/"+r.String(), false)
	return found(err)
}

// found is whether there is something whose reading ended with err.
func found(err error) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case absent(err):
		return false, nil
	}
	return false, err
}
