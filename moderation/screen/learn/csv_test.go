package learn

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadCSV(t *testing.T) {
	want := []Example{{Text: "Bài hay, rất \"bổ ích\"\nxin cảm ơn"}, {Text: "mua ngay", Positive: true}}
	for name, table := range map[string]string{
		"plain":      "id,Comment,Label\n1,\"Bài hay, rất \"\"bổ ích\"\"\nxin cảm ơn\",0\n2,mua ngay,1\n",
		"mark, CRLF": "\ufeffComment,Label\r\n\"Bài hay, rất \"\"bổ ích\"\"\nxin cảm ơn\",false\r\nmua ngay,TRUE\r\n",
		"semicolons": "\"label\";\"comment\"\n0.49;\"Bài hay, rất \"\"bổ ích\"\"\nxin cảm ơn\"\n0.5;mua ngay\n",
		"tabs, gaps": "Comment \tLabel\n\"Bài hay, rất \"\"bổ ích\"\"\nxin cảm ơn\"\tno\n \t1\nmua ngay\t yes \n",
	} {
		got, err := ReadCSV(strings.NewReader(table), "comment", "label")
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestReadCSVRefuses(t *testing.T) {
	for name, table := range map[string]string{
		"nothing":   "",
		"no column": "a,b\n1,2\n",
		"no label":  "comment,label\nhay,maybe\n",
		"NaN":       "comment,label\nhay,NaN\n",
		"short row": "id,comment,label\n1,hay\n",
	} {
		if got, err := ReadCSV(strings.NewReader(table), "comment", "label"); !errors.Is(err, ErrTable) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err := ReadCSV(strings.NewReader("comment,label\nhay,1\ndở,2 sao\n"), "comment", "label")
	if err == nil || !strings.Contains(err.Error(), "row 3") {
		t.Errorf("the row is not named: %v", err)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("comment,label\n\"a \"\"b\"\"\",1\n")
	f.Add("\ufefflabel;comment\n0;\"x\n\"\n\n")
	f.Add("comment\tlabel\nstray \" quote\t0\n\xff\xfe\t1\n")
	f.Fuzz(func(t *testing.T, table string) {
		examples, err := ReadCSV(strings.NewReader(table), "comment", "label")
		if err != nil && !errors.Is(err, ErrTable) {
			t.Errorf("an error of no kind: %v", err)
		}
		for _, e := range examples {
			if !utf8.ValidString(e.Text) || strings.TrimSpace(e.Text) == "" {
				t.Errorf("text %q", e.Text)
			}
		}
	})
}
