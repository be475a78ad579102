//! LLBBridge: what a frontend asks the daemon for.
