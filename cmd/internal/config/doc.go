// Package config reads what users keep by hand: the configuration (one YAML file for one legal entity), the register
// (six CSV files) and calendars of their own.
//
// A configuration is checked as a whole and all its problems are reported at once ([Problems]), each with line and
// column, what was expected and what to do. Nothing is guessed: unknown and repeated keys are errors, and a number
// without quotes where a text is expected is one too, since YAML would read merchant 0123 as 83.
//
//	version: 1
//	entity: Example Trading
//	go_live: 2025-12-31
//	register: register
//	servers:
//	  ums: {host: sftp.example.com, user: shop, keys: ["file:keys/ums"], known_hosts: [known_hosts]}
//	sources:
//	  - name: ums
//	    side: acquirer
//	    acquirer: chinaums
//	    server: ums
//	    dir: /out
//	    names: ["UMS_{mid}_{date:yyyyMMdd}.txt"]
//	    formats: [chinaums_tab17]
//	    due: "+1 10:00"
//	    slots: {mid: ["898310048990001"]}
//
// Paths are relative to the configuration's own folder.
package config
