package house

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "duyet"

// pkg is what `go list -json` tells of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list tells of %d packages", len(all))
	}
	return all
}

// arrows say which packages of ours each package may import. A pattern that ends in "/..."
// stands for everything below.
var arrows = map[string][]string{
	"comments":          {"comments/pagekey"},
	"comments/pagekey":  {},
	"comments/captcha":  {"comments"},
	"comments/receipt":  {"comments"},
	"comments/limit":    {"comments"},
	"comments/work":     {"comments"},
	"comments/audience": {"comments"},
	"comments/audience/audiencetest": {
		"comments", "comments/audience",
	},
	"comments/live":             {"comments"},
	"comments/search":           {"comments"},
	"comments/boltstore":        {"comments", "comments/pagekey", "comments/captcha", "comments/receipt", "comments/limit", "comments/work", "comments/audience"},
	"comments/pgstore":          {"comments", "comments/pagekey", "comments/captcha", "comments/receipt", "comments/limit", "comments/work", "comments/audience"},
	"comments/pgstore/pgtest":   {},
	"comments/storetest":        {"comments", "comments/captcha"},
	"comments/web":              {"comments", "comments/pagekey", "comments/captcha", "comments/receipt", "comments/limit", "comments/work", "comments/live", "comments/audience", "templates"},
	"moderation":                {"comments", "comments/search"},
	"moderation/screen":         {"moderation", "comments", "moderation/screen/words", "moderation/screen/similar", "moderation/screen/learn"},
	"moderation/screen/learn":   {},
	"moderation/screen/words":   {},
	"moderation/screen/similar": {},
	"moderation/screen/redteam": {"moderation/screen/words"},
	"moderation/storetest":      {"moderation", "comments", "comments/storetest"},
	"moderation/boltstore":      {"moderation", "comments", "comments/boltstore"},
	"moderation/pgstore":        {"moderation", "comments", "comments/pgstore"},
	"moderation/alarm":          {"moderation", "comments"},
	"moderation/passkey":        {"moderation"},
	"moderation/oidc":           {"moderation"},
	"moderation/outside":        {"moderation", "moderation/screen", "comments"},
	"moderation/console":        {"moderation", "moderation/screen", "moderation/outside", "comments", "comments/search", "templates"},
	"templates":                 {"comments"},
	"templates/embedtest":       {},
	"cmd/internal/storage":      {"comments", "comments/...", "moderation", "moderation/...", "cmd/internal/..."},
	"cmd/internal/demo":         {"comments", "moderation", "templates"},
	"cmd/internal/house":        {},
	"cmd/internal/config":       {},
	"cmd/internal/control":      {},
	"cmd/internal/metrics":      {},
	"cmd/internal/httpd":        {"comments", "templates"},
	"cmd/duyet":                 {"comments", "comments/...", "moderation", "moderation/...", "templates", "cmd/internal/..."},
	"cmd/bench":                 {"comments", "comments/...", "moderation", "moderation/...", "templates", "cmd/internal/..."},
}

func ours(imports []string) []string {
	var list []string
	for _, i := range imports {
		if rest, ok := strings.CutPrefix(i, module+"/"); ok {
			list = append(list, rest)
		}
	}
	return list
}

func matches(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(name, below+"/")
	}
	return pattern == name
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		allowed, known := arrows[p.name()]
		if !known {
			t.Errorf("%s stands in no plan: say here and in CONTRIBUTING.md what it may import", p.name())
			continue
		}
		for _, i := range ours(p.Imports) {
			if !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, i) }) {
				t.Errorf("%s imports %s", p.name(), i)
			}
		}
	}
}

// Tests may use more, such as the real store, but not go against the stream.
func TestArrowsOfTests(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range ours(append(p.TestImports, p.XTestImports...)) {
			if strings.HasPrefix(i, "cmd/") && !strings.HasPrefix(p.name(), "cmd/") {
				t.Errorf("a test of %s imports %s", p.name(), i)
			}
			if strings.HasPrefix(i, "moderation") && strings.HasPrefix(p.name(), "comments") {
				t.Errorf("a test of %s imports %s", p.name(), i)
			}
		}
	}
}

// libraries that have one home. The wings' cores know no HTTP, not even at second hand.
var libraries = []struct {
	path  string
	homes []string
}{
	{"go.etcd.io/bbolt", []string{"comments/boltstore", "moderation/boltstore", "cmd/internal/storage", "cmd/bench"}},
	{"github.com/jackc/pgx/v5", []string{"comments/pgstore", "comments/pgstore/pgtest", "moderation/pgstore", "cmd/internal/storage", "cmd/bench"}},
	{"github.com/pressly/goose/v3", []string{"comments/pgstore"}},
	{"github.com/dchest/captcha", []string{"comments/captcha"}},
	{"github.com/alecthomas/kong", []string{"cmd/duyet", "cmd/bench"}},
	{"github.com/prometheus/client_golang", []string{"cmd/internal/metrics"}},
	{"github.com/coreos/go-oidc", []string{"moderation/oidc"}},
	{"code.dny.dev/ssrf", []string{"moderation/outside"}},
	{"github.com/sony/gobreaker", []string{"moderation/outside"}},
	{"github.com/standard-webhooks/standard-webhooks", []string{"moderation/outside"}},
	{"github.com/go-webauthn/webauthn", []string{"moderation/passkey"}},
	{"github.com/alexedwards/scs", []string{"moderation/console"}},
	{"github.com/alexedwards/argon2id", []string{"moderation"}},
}

func TestLibrariesHaveOneHome(t *testing.T) {
	for _, p := range packages(t) {
		for _, l := range libraries {
			uses := slices.ContainsFunc(p.Imports, func(i string) bool { return i == l.path || strings.HasPrefix(i, l.path+"/") })
			if uses && !slices.Contains(l.homes, p.name()) {
				t.Errorf("%s imports %s, which belongs to %s", p.name(), l.path, strings.Join(l.homes, ", "))
			}
		}
		if name := p.name(); name == "comments" || name == "moderation" || name == "comments/pagekey" {
			for _, banned := range []string{"net/http", "go.etcd.io/bbolt", "html/template"} {
				if slices.Contains(p.Deps, banned) {
					t.Errorf("%s depends on %s", name, banned)
				}
			}
		}
	}
}

// trustedTypes of html/template switch its escaping off.
var trustedTypes = []string{"HTML", "HTMLAttr", "JS", "JSStr", "CSS", "URL", "Srcset"}

func TestOnlyMarkupMakesHTML(t *testing.T) {
	for _, p := range packages(t) {
		for _, file := range p.GoFiles {
			path := filepath.Join(p.Dir, file)
			tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if p.name() == "templates" && file == "markup.go" || !importsTemplate(tree) {
				continue
			}
			for _, word := range trustedIn(tree) {
				t.Errorf("%s/%s makes a template.%s", p.name(), file, word)
			}
		}
	}
}

func importsTemplate(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"html/template"` })
}

// trustedIn lists the trusted types a file converts to. Naming one, to hold what markup.go
// has made, is no conversion.
func trustedIn(f *ast.File) (words []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "template" && slices.Contains(trustedTypes, sel.Sel.Name) {
				words = append(words, sel.Sel.Name)
			}
		}
		return true
	})
	return words
}

func TestTheTopHasItsFoldersAlone(t *testing.T) {
	entries, err := os.ReadDir("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains([]string{"cmd", "comments", "moderation", "templates", "data"}, e.Name()) {
			t.Errorf("%s stands beside cmd, comments, moderation and templates", e.Name())
		}
	}
}
