package audiencetest

import "duyet/comments"

// Site is a site with the usual settings, in UTC.
func Site(id string) comments.Site {
	s := comments.Site{ID: id, Settings: comments.DefaultSettings()}
	s.Settings.Timezone = "UTC"
	return s
}
