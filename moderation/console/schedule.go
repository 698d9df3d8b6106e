package console

import (
	"errors"
	"net/http"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// scheduleForm is how <input type="datetime-local"> writes a time, in the site's zone.
const scheduleForm = "2006-01-02T15:04"

// appointed is when a comment is to be published, in words.
type appointed struct {
	Words string // "To appear at 08:00, 28/11/2026, set by an@bao.example"
	Stale bool   // the comment has changed since, so it won't
}

func (v *visit) appointed(one moderation.Schedule, version uint64) *appointed {
	return &appointed{v.l.Say("schedule.set", "At", v.l.Time(one.At), "Who", v.actor(one.By)), one.Version != version}
}

// schedule answers POST …/schedule: a time, or with do=clear none.
func (c *Console) schedule(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, version, err := judgeForm(w, r)
	if err != nil {
		return err
	}
	if r.PostForm.Get("do") == "clear" {
		if err := c.cfg.Service.Unschedule(r.Context(), v.who, id); err != nil && !errors.Is(err, comments.ErrNotFound) {
			return err
		}
		c.judged(w, r, "unscheduled")
		return nil
	}
	parsed, err := comments.ParseID(id)
	if err != nil {
		return err
	}
	typed := r.PostForm.Get("at")
	at, bad := time.ParseInLocation(scheduleForm, typed, c.location(r.Context(), v.who, parsed.Site()))
	if bad != nil {
		at = time.Time{} // which has passed
	}
	if _, err := c.cfg.Service.Schedule(r.Context(), v.who, id, version, at); err != nil {
		return c.misjudged(w, r, v, &judgePage{Deed: "schedule", Content: typed}, err)
	}
	c.judged(w, r, "scheduled")
	return nil
}
