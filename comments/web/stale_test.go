package web

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
)

// answers is comments.ErrUnavailable while the store is down.
func (f *flaky) answers() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return comments.ErrUnavailable
	}
	return nil
}

func (f *flaky) Site(ctx context.Context, id string) (comments.Site, error) {
	if err := f.answers(); err != nil {
		return comments.Site{}, err
	}
	return f.Store.Site(ctx, id)
}

func (f *flaky) Page(ctx context.Context, site, key string) (comments.Page, error) {
	if err := f.answers(); err != nil {
		return comments.Page{}, err
	}
	return f.Store.Page(ctx, site, key)
}

func (f *flaky) Comment(ctx context.Context, id comments.ID) (comments.Comment, error) {
	if err := f.answers(); err != nil {
		return comments.Comment{}, err
	}
	return f.Store.Comment(ctx, id)
}

// goDown has the store answer nothing, or again.
func (f *flaky) goDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down, f.write, f.thread = down, nil, nil
	if down {
		f.write, f.thread = comments.ErrUnavailable, comments.ErrUnavailable
	}
}

// TestServesFromMemoryWhileCutOff: what stands in the cache needs no store; it says that it
// may be old, has an end, and what is known to have changed is not served.
func TestServesFromMemoryWhileCutOff(t *testing.T) {
	h := newHouse(t, "")
	var behind atomic.Int64
	h.door.cfg.Behind = func() time.Duration { return time.Duration(behind.Load()) }
	h.door.cfg.StaleFor = time.Minute
	h.door.cache.trusts = h.door.trusts
	const other = "https://news.example/khac"
	made := h.publish(testPage, "Hạnh", "Lời đầu", "")
	h.publish(other, "Lộc", "Lời khác", "")
	posted := h.postForm(formPath, h.form(), sameOrigin...)
	form := h.form()
	form.Set("content", "Lời quý giá")
	cookie := posted.Header().Get("Set-Cookie")
	reads := []string{fragmentPath + testPage, apiPath + "/thread?page=" + testPage, apiPath + "/counts?page=" + testPage,
		apiPath + "/latest", "/s/" + testSite + "/feed.atom", "/s/" + testSite + "/thread?page=" + testPage}
	check := func(status int, stale string) {
		t.Helper()
		for _, path := range reads {
			w := h.get(path, "Cookie", cookie)
			if w.Code != status || w.Header().Get("Cache-Status") != stale {
				t.Errorf("%s: %d, Cache-Status %q", path, w.Code, w.Header().Get("Cache-Status"))
			}
			if kept := w.Header().Get("Cache-Control") == "public, max-age=0, must-revalidate"; stale != "" && (kept || !strings.HasPrefix(path, "/s/"+testSite+"/thread") && !strings.Contains(w.Header().Get("Access-Control-Expose-Headers"), "Cache-Status")) {
				t.Errorf("%s: stale, and kept, or not to be read: %v", path, w.Header())
			}
			if again := h.get(path, "If-None-Match", w.Header().Get("ETag")); stale != "" && again.Code == http.StatusNotModified {
				t.Errorf("%s: a stale answer lets its mark stand on what was kept", path)
			}
			if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", path)
			}
			if page := strings.Contains(path, "/thread?page") && strings.HasPrefix(path, "/s/"); page && status == http.StatusOK &&
				strings.Contains(w.Body.String(), "Bình luận có thể chưa phải mới nhất") != (stale != "") {
				t.Errorf("%s: the notice is wrong: %s", path, w.Body)
			}
		}
	}
	check(http.StatusOK, "")
	h.store.goDown(true)
	check(http.StatusOK, "")
	behind.Store(int64(7500 * time.Millisecond))
	const stale = "duyet; hit; ttl=-7; detail=store-unreachable"
	check(http.StatusOK, stale)
	if w := h.get(fragmentPath + other); w.Code != http.StatusServiceUnavailable {
		t.Errorf("what was never read: %d", w.Code)
	}
	// The form keeps the words.
	w := h.postForm(formPath, form, append([]string{"Cookie", cookie}, sameOrigin...)...)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Lời quý giá") {
		t.Errorf("a form while cut off: %d %s", w.Code, w.Body)
	}

	// Too long, and then it hears again, among others that something was taken down.
	behind.Store(int64(time.Minute + 4*time.Second))
	check(http.StatusServiceUnavailable, "")
	h.store.goDown(false)
	h.decide(made.ID, comments.Trashed)
	h.store.goDown(true)
	behind.Store(int64(10 * time.Second))
	for _, path := range reads {
		if w := h.get(path); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: what was taken down is served: %d", path, w.Code)
		}
	}
	behind.Store(0)
	h.store.goDown(false)
	check(http.StatusOK, "")
}

// TestStoresAreToldWhatIsShared: whatever readers share is read under a mark.
func TestStoresAreToldWhatIsShared(t *testing.T) {
	h := newHouse(t, "")
	marks := &marked{Store: h.store.Store, t: t}
	h.store.Store = marks
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	marks.want.Store(true)
	for _, path := range []string{fragmentPath + testPage, apiPath + "/thread?page=" + testPage, apiPath + "/latest"} {
		if w := h.get(path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if marks.seen.Load() == 0 {
		t.Error("no read was marked")
	}
}

type marked struct {
	comments.Store
	t    *testing.T
	want atomic.Bool
	seen atomic.Int64
}

func (m *marked) Thread(ctx context.Context, site, key string, sort comments.Sort, after comments.ID, limit int) ([]comments.Comment, error) {
	if m.want.Load() && comments.SharedBy(ctx) != testSite {
		m.t.Error("a thread was read without the mark")
	}
	m.seen.Add(1)
	return m.Store.Thread(ctx, site, key, sort, after, limit)
}
