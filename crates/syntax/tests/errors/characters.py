x = 5 $ 3
#---
x = a ? b : c
#---
x = “quoted”
#---
x = 1 + 2
#---
x = a\b
#---
x = a \ 
#---
x = 3 \#no newline
#---
a!b
#---
price = 5€
#---
naïve = ½
#---
