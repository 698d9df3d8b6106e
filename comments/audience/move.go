package audience

// Records as comments.Movable hands them from one store to another.
type (
	// MovedPart is one part of what is kept of a site: what Kept holds, by name.
	MovedPart struct {
		Site string
		Part string // "summary", "slots" or "sketch"
		Day  Day    // of a sketch, else 0
		Data []byte
	}
	// MovedViews are the views of a page.
	MovedViews struct {
		Site, Page string
		Views      int64
	}
)
