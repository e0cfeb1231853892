package fsapi_test

import "testing"

func TestFS33_FS34_FS44_FST1_Root(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.wantLs("", "branch", "commits", "debug", "remotes", "snapshots", "trees")
		st := c.stat("")
		if st.Name != "/" || st.Qid.Path == 0 {
			t.Errorf("stat of the root: %+v", st)
		}
	})
}

func TestFS50_FST18_Head(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		c.wantCat("branch/master/head", "\n")
		h := c.commit("master", "first", map[string]string{"file": "x"})
		if len(h) != 40 {
			t.Fatalf("head is %q", h)
		}
		c.wantCat("branch/master/head", h+"\n")
		c.wantCat("snapshots/"+h+"/parents", "")
	})
}
