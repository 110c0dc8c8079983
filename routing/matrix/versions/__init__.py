"""Two states of a matrix side by side: what differs, how both become one, and which of two a call goes by."""
