package fsapi_test
import ("testing";"fmt";"github.com/datakit/datakit";"github.com/datakit/datakit/memdb";"github.com/datakit/datakit/fsapi";"github.com/datakit/datakit/vfs")
func BenchmarkList(b *testing.B){ db:=memdb.New(nil); defer db.Close(); ctx:=b.Context()
 db.Branch("master").Update(ctx,"m",func(tx *datakit.Tx)error{ tx.Mkdir(ctx,"d"); for i:=0;i<1000;i++{ tx.WriteFile(ctx,datakit.Path(fmt.Sprintf("d/file%04d",i)),[]byte("x"))}; return nil})
 h,_:=db.Branch("master").Head(ctx)
 s:=fsapi.New(db,nil).NewSession(); defer s.Close()
 var n vfs.Node=s.Root()
 for _,name:=range []string{"snapshots",h.String(),"ro","d"}{ var err error; n,err=n.(vfs.Dir).Lookup(ctx,name); if err!=nil{b.Fatal(err)}}
 b.ReportAllocs(); b.ResetTimer()
 for b.Loop(){ es,err:=n.(vfs.Dir).List(ctx); if err!=nil||len(es)!=1000{b.Fatal(err)}}
}
